"""Something made of files, and made anew when one of them changes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
Stamp = tuple[int, int, int]

log = structlog.get_logger(__name__)


class CertificatesNotRead(Exception):
    """Certificates or keys cannot be used; the text is one line that names the file and what is wrong."""


class Followed(Generic[T]):
    """The latest result of `load`. Files that cannot be used are reported once, and the previous result stays."""

    def __init__(self, load: Callable[[], T], files: Iterable[Path | None]) -> None:
        """Load for the first time.

        Raises:
            CertificatesNotRead: the files cannot be used.
        """
        self._load = load
        self._files = tuple(file for file in files if file is not None)
        self._stamps = self._stamped()
        self._latest = load()

    def latest(self) -> T:
        """The same object until a file changes."""
        stamps = self._stamped()
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._latest = self._load()
            except CertificatesNotRead as error:
                log.error("certificates_not_read", why=str(error), until_then="the previous ones are used")
            else:
                log.info("certificates_read", files=[str(file) for file in self._files])
        return self._latest

    def _stamped(self) -> tuple[Stamp | None, ...]:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> Stamp | None:
    """What changes when a file is replaced: also by the renamed symbolic link of a Kubernetes Secret."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
