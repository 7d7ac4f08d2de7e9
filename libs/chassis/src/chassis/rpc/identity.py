"""Caller identity: short-lived Ed25519 tokens of services and staff, their keys and key rotation.

Keys are files `<issuer>.<kid>.private.pem` and `<issuer>.<kid>.public.pem` in one folder. A token is valid only if
its issuer equals the issuer in the name of the key file that verifies it, so no service can act as another one or as
staff. A kid is the key's time of creation: the signer uses its newest key, the verifier accepts all in the folder.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OKPKey

STAFF = "staff"
"""The issuer of staff tokens. Every other issuer is a service."""

LIFETIME_SECONDS = 300
LEEWAY_SECONDS = 30
"""How far the clocks of two processes may differ."""
REREAD_SECONDS = 60.0
"""How long the verifier may take to notice that a key was removed."""
REREAD_AT_MOST_EVERY_SECONDS = 0.5
"""The shortest interval at which unknown kids make the verifier reread its folder."""

_ALGORITHM = "Ed25519"
_KEY_FILE = re.compile(r"(?P<issuer>[a-z][a-z0-9-]*)\.(?P<kid>[0-9A-Za-z-]+)\.(?P<kind>private|public)\.pem")


log = structlog.get_logger(__name__)


class InvalidToken(Exception):
    """The token is not valid; the text says why."""


class NoSigningKey(Exception):
    """The keys folder has no private key of the issuer."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated caller of a call."""

    issuer: str
    """A service's name, or `staff`."""
    subject: str
    """The service's name again, or the person's name."""
    rights: frozenset[str] = frozenset()
    """A person's rights, such as `parking.write`; a service's rights are set by each method."""

    @property
    def is_staff(self) -> bool:
        return self.issuer == STAFF

    @property
    def actor(self) -> str:
        """The caller's name in histories and audits: `service:registry`, `staff:li`."""
        return f"{STAFF if self.is_staff else 'service'}:{self.subject}"


def create_key(keys_dir: Path, issuer: str, *, now: Callable[[], float] = time.time) -> str:
    """Create a key pair and return its kid; only the owner can read the private file.

    Raises:
        ValueError: the issuer cannot be part of a file name.
        FileExistsError: a key of this microsecond exists.
    """
    kid = datetime.fromtimestamp(now(), UTC).strftime("%Y%m%dT%H%M%S%fZ")
    if not _KEY_FILE.fullmatch(f"{issuer}.{kid}.public.pem"):
        raise ValueError(f"{issuer!r} is not an issuer name: use lower-case letters, digits and hyphens")
    keys_dir.mkdir(parents=True, exist_ok=True)
    key = OKPKey.generate_key("Ed25519")
    # The public key first, so that no token can be signed that cannot be verified.
    _write(keys_dir / f"{issuer}.{kid}.public.pem", key.as_pem(private=False), 0o644)
    _write(keys_dir / f"{issuer}.{kid}.private.pem", key.as_pem(private=True), 0o600)
    return kid


def _write(path: Path, content: bytes, mode: int) -> None:
    """Create a file atomically: a reader sees all of it or nothing."""
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.rename(path)


@dataclass(frozen=True, slots=True)
class _KeyFile:
    issuer: str
    kid: str
    path: Path

    @property
    def name(self) -> str:
        """The key id in a token's header: issuer and kid, as two issuers may have keys of the same moment."""
        return f"{self.issuer}.{self.kid}"


def _key_files(keys_dir: Path, kind: str) -> list[_KeyFile]:
    """The key files of a kind, oldest first; other files are ignored."""
    found = []
    for path in keys_dir.iterdir() if keys_dir.is_dir() else ():
        match = _KEY_FILE.fullmatch(path.name)
        if match and match["kind"] == kind:
            found.append(_KeyFile(match["issuer"], match["kid"], path))
    return sorted(found, key=lambda each: each.kid)


def _public_keys(keys_dir: Path) -> Iterator[tuple[str, tuple[str, OKPKey]]]:
    """(name, (issuer, key)) of every readable public key: a broken file invalidates its own tokens only."""
    for each in _key_files(keys_dir, "public"):
        try:
            yield each.name, (each.issuer, OKPKey.import_key(each.path.read_bytes()))
        except (OSError, ValueError, JoseError) as error:
            log.error("key_file_not_read", file=each.path.name, error=type(error).__name__)


class TokenSigner:
    """Signs tokens of one issuer."""

    def __init__(self, keys_dir: Path, issuer: str, *, now: Callable[[], float] = time.time) -> None:
        self.issuer = issuer
        self._keys_dir = Path(keys_dir)
        self._now = now
        self._cache: dict[tuple[str, str, frozenset[str]], tuple[str, float]] = {}

    def token(self, audience: str, *, subject: str = "", rights: Iterable[str] = ()) -> str:
        """A token for calling one service; renewed when a third of its lifetime is left.

        Only staff tokens have a subject and rights.

        Raises:
            NoSigningKey: the issuer has no private key.
            ValueError: a service gives a subject or rights, or staff give no subject.
        """
        subject = subject or ("" if self.issuer == STAFF else self.issuer)
        wanted = (audience, subject, frozenset(rights))
        if not subject:
            raise ValueError("a staff token names a person")
        if self.issuer != STAFF and (subject != self.issuer or wanted[2]):
            raise ValueError(f"{self.issuer} is a service: its token has no other subject and no rights")
        token, renew_at = self._cache.get(wanted, ("", 0.0))
        now = self._now()
        if now >= renew_at:
            token, renew_at = self._sign(*wanted, now), now + LIFETIME_SECONDS * 2 / 3
            self._cache = {key: value for key, value in self._cache.items() if value[1] > now}
            self._cache[wanted] = (token, renew_at)
        return token

    def _sign(self, audience: str, subject: str, rights: frozenset[str], now: float) -> str:
        own = [each for each in _key_files(self._keys_dir, "private") if each.issuer == self.issuer]
        if not own:
            raise NoSigningKey(f"{self._keys_dir} has no private key of {self.issuer}; create one")
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + LIFETIME_SECONDS,
        }
        if rights:
            claims["rights"] = sorted(rights)
        key = OKPKey.import_key(own[-1].path.read_bytes())
        return jwt.encode({"alg": _ALGORITHM, "kid": own[-1].name}, claims, key, algorithms=[_ALGORITHM])


class TokenVerifier:
    """Verifies tokens."""

    def __init__(self, keys_dir: Path, *, now: Callable[[], float] = time.time) -> None:
        self._keys_dir = Path(keys_dir)
        self._now = now
        self._keys: dict[str, tuple[str, OKPKey]] = {}
        self._read_at: float | None = None

    def verify(self, token: str, audience: str) -> Caller:
        """The caller that a token proves.

        Raises:
            InvalidToken: forged, expired, for another audience, or signed with an unknown or another issuer's key.
        """
        issuers: list[str] = []

        def find(guest: GuestProtocol) -> OKPKey:
            issuer, key = self._key(str(guest.headers().get("kid")))
            issuers.append(issuer)
            return key

        try:
            claims = jwt.decode(token, find, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            # The error's own text may contain parts of the token.
            raise InvalidToken(f"the token is not valid ({type(error).__name__})") from error
        return self._caller(claims, issuers[0], audience)

    def _caller(self, claims: dict[str, Any], issuer: str, audience: str) -> Caller:
        """Check the claims of a token whose signature is valid."""
        now, subject, rights = self._now(), claims.get("sub"), claims.get("rights", [])
        issued, expires = claims.get("iat"), claims.get("exp")
        if claims.get("iss") != issuer:
            raise InvalidToken("the token's issuer is not the issuer of its key")
        if claims.get("aud") != audience:
            raise InvalidToken(f"the token is not for {audience}")
        if not isinstance(issued, int) or not isinstance(expires, int):
            raise InvalidToken("the token has no valid time of issue or expiry")
        if not issued - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS or expires - issued > LIFETIME_SECONDS:
            raise InvalidToken("the token has expired, is not valid yet, or has too long a lifetime")
        if not isinstance(subject, str) or not subject or not isinstance(rights, list):
            raise InvalidToken("the token has no subject")
        if issuer != STAFF and (subject != issuer or rights):
            raise InvalidToken("a service's token has no other subject and no rights")
        return Caller(issuer, subject, frozenset(str(each) for each in rights))

    def _key(self, name: str) -> tuple[str, OKPKey]:
        now = self._now()
        age = float("inf") if self._read_at is None else now - self._read_at
        if age > REREAD_SECONDS or age < 0 or (name not in self._keys and age > REREAD_AT_MOST_EVERY_SECONDS):
            self._read_at = now
            self._keys = dict(_public_keys(self._keys_dir))
        if name not in self._keys:
            raise InvalidToken("the token's key is unknown")
        return self._keys[name]
