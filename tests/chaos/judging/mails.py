"""The mails that the platform's receiving server has taken, as it keeps them: one file each."""

import email
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was received; a repeat is one of its own."""

    message_id: str
    to: str
    """Recipients of the envelope."""
    at: datetime
    """When the server had all of it."""


def read_mails(folder: Path) -> Sequence[Mail]:
    """Every mail in the folder of `launcher.mail`, in the order of their arrival.

    What begins with a dot was being written when the server was killed: nobody was told that it had been taken.
    """
    return [_mail(file) for file in sorted(folder.glob("[!.]*.eml"))]


def _mail(file: Path) -> Mail:
    """A file is named `<nanoseconds since 1970>-<number>.eml`."""
    message = email.message_from_bytes(file.read_bytes())
    at = datetime.fromtimestamp(int(file.name.partition("-")[0]) / 1e9, UTC)
    return Mail(str(message["Message-ID"]), str(message["X-Envelope-To"]), at)
