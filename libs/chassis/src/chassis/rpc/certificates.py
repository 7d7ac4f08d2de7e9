"""Mutual TLS between services: both sides show a certificate of our authority, beside the caller's token.

Keeps: who has no certificate of the authority gets no answer, not even a refusal of its token. Certificates are read
anew when their files change: a server shows the new one at the next handshake, a channel uses it for the next call.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from chassis.settings import TlsSettings
from chassis.tls import CertificatesNotRead, Followed, load_client_context

LOOK_SECONDS = 1.0
"""How often the files are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one side shows and trusts, as PEM."""

    ca: bytes
    certificate: bytes
    key: bytes

    def of_client(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self.ca, self.key, self.certificate)

    def of_server(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(self.key, self.certificate)], self.ca)


class Certificates:
    """Our certificate and our authority's, from files. Used by several threads: gRPC's own ask for a server's."""

    def __init__(self, settings: TlsSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read the files.

        Raises:
            CertificatesNotRead: one cannot be used.
            ValueError: not all three are given.
        """
        if settings.ca_file is None or settings.certificate_file is None or settings.key_file is None:
            raise ValueError("mutual TLS needs an authority, a certificate and its key")
        self._ca, self._certificate, self._key = settings.ca_file, settings.certificate_file, settings.key_file
        self._monotonic = monotonic
        self._looking = threading.Lock()
        self._looked_at = monotonic()
        self._followed = Followed(self._read, (self._ca, self._certificate, self._key))
        self._latest = self._followed.latest()

    @property
    def latest(self) -> Shown:
        """The current ones; the same object until they change."""
        with self._looking:
            now = self._monotonic()
            if now - self._looked_at >= LOOK_SECONDS:
                self._looked_at = now
                self._latest = self._followed.latest()
            return self._latest

    def of_server(self) -> grpc.ServerCredentials:
        """Credentials of a server that demands a certificate from everybody; they follow the files."""
        return grpc.dynamic_ssl_server_credentials(
            self._shown_by_server(), self._shown_by_server, require_client_authentication=True
        )

    def _shown_by_server(self) -> grpc.ServerCertificateConfiguration:
        return self.latest.of_server()

    def _read(self) -> Shown:
        load_client_context(self._ca, self._certificate, self._key)  # gRPC would say nothing of a key that does not fit
        try:
            return Shown(self._ca.read_bytes(), self._certificate.read_bytes(), self._key.read_bytes())
        except OSError as error:
            raise CertificatesNotRead(f"{error.filename}: {error.strerror}") from None
