"""The mails that the platform's mail server has received, one file each."""

import email
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mail:
    """One received mail; a repeat counts separately."""

    message_id: str
    to: str
    """Recipients of the envelope."""
    at: datetime
    """When the server had received all of it."""


def read_mails(folder: Path) -> Sequence[Mail]:
    """Every mail in the folder of `launcher.mail`, in order of arrival.

    A file whose name begins with a dot was being written when the server was killed: its receipt was not acknowledged.
    """
    return [_mail(file) for file in sorted(folder.glob("[!.]*.eml"))]


def _mail(file: Path) -> Mail:
    """A file is named `<nanoseconds since 1970>-<number>.eml`."""
    message = email.message_from_bytes(file.read_bytes())
    at = datetime.fromtimestamp(int(file.name.partition("-")[0]) / 1e9, UTC)
    return Mail(str(message["Message-ID"]), str(message["X-Envelope-To"]), at)
