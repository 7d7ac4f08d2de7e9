"""TLS with certificates from files, which may be replaced while the process runs.

Keeps: every new connection uses the files as they are then; files that cannot be used are reported once, and the
previous certificates stay in use. Open connections are not touched.
"""

import ssl
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from chassis.tls.followed import CertificatesNotRead, Followed


class _FollowedContext(ssl.SSLContext):
    """A context that makes each connection with the latest one that was loaded."""

    _followed: Followed[ssl.SSLContext]

    def follow(self, load: Callable[[], ssl.SSLContext], files: Iterable[Path | None]) -> Self:
        """Load the files for the first time.

        Raises:
            CertificatesNotRead: they cannot be used.
        """
        self._followed = Followed(load, files)
        return self

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As asyncio calls it for each connection."""
        return self._followed.latest().wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return self._followed.latest().wrap_socket(*arguments, **options)


@lru_cache(maxsize=64)
def client_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """A client's side, one for each set of files: checks the server's certificate and name, shows ours if there is one.

    Once there, it stays usable: a client that is built anew while a file is broken must not fail for that.

    Raises:
        CertificatesNotRead: a file cannot be used, the first time.
    """
    files = ca, certificate, key
    return _FollowedContext(ssl.PROTOCOL_TLS_CLIENT).follow(lambda: load_client_context(*files), files)


def load_client_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """The same, of the files as they are now.

    Raises:
        CertificatesNotRead: a file cannot be used.
    """
    context = _checking(ca)
    if certificate is not None:
        _show(context, certificate, key)
    return context


def server_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """A server's side, open to any client.

    Raises:
        CertificatesNotRead: a file cannot be used.
    """

    def load() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _show(context, certificate, key)
        return context

    return _FollowedContext(ssl.PROTOCOL_TLS_SERVER).follow(load, (certificate, key))


def _checking(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # also ssl's errors
        raise CertificatesNotRead(f"{ca}: no authority's certificate can be read from it: {_words(error)}") from None


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        files = f"{certificate}, {key}" if key is not None else f"{certificate}"
        raise CertificatesNotRead(f"{files}: no certificate with its key can be read: {_words(error)}") from None


def _words(error: OSError) -> str:
    return error.strerror or str(error)
