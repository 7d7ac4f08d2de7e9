"""A certificate authority of a test's own: real certificates, valid for a day, as PEM files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key."""

    certificate: Path
    key: Path

    def replace_by(self, other: "Issued") -> None:
        """Put another certificate and key into these files, each at once, as an operator's tool does."""
        for mine, theirs in ((self.certificate, other.certificate), (self.key, other.key)):
            draft = mine.with_suffix(".draft")
            draft.write_bytes(theirs.read_bytes())
            draft.rename(mine)

    def together(self) -> Path:
        """Both in one file."""
        file = self.certificate.with_suffix(".both.pem")
        file.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return file


class Authority:
    """Issues certificates; `ca` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._serial = 0
        self.ca = self._folder / "ca.pem"
        own = self._begun(name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        signed = own.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
        ).sign(self._key, hashes.SHA256())
        self.ca.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *hosts: str, expired: bool = False) -> Issued:
        """A certificate for some host names or addresses, for servers and clients."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_host(each) for each in hosts] or [x509.DNSName(name)]
        builder = self._begun(name, key, expired=expired)
        signed = (
            builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._serial += 1
        stem = self._folder / f"{name}-{self._serial}"
        issued = Issued(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        issued.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return issued

    def _begun(self, name: str, key: ec.EllipticCurvePrivateKey, *, expired: bool = False) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(now - _DAY if expired else now + _DAY)
        )


def bundle(file: Path, *authorities: Authority) -> Path:
    """The certificates of several authorities in one file, put there at once."""
    draft = file.with_suffix(".draft")
    draft.write_bytes(b"".join(each.ca.read_bytes() for each in authorities))
    return draft.rename(file)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
