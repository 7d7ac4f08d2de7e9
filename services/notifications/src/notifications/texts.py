"""Address and text of notices, and the port of their store.

They are personal data, so they are stored in separate documents that can be erased. A notice keeps
its first text for ever; its address is updated from registry. A recipient's inbox is the texts of its
notices on channel `inbox`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifications.domain.notice import Channel


@dataclass(frozen=True, slots=True)
class StoredText:
    """The text and address of one notice."""

    notice_id: str
    recipient: str
    channel: Channel
    ucr: str | None
    template: str
    template_version: str
    language: str
    subject: str
    body: str
    email: str
    """Empty for an inbox notice, and if registry has no address."""
    stored_at: datetime


PageMark = tuple[datetime, str]
"""Time and notice id of the last message of a page."""


class Texts(Protocol):
    async def keep(self, texts: Sequence[StoredText]) -> dict[str, StoredText]:
        """Store new texts and update addresses; returns the stored texts by notice id."""
        ...

    async def load(self, notice_ids: Sequence[str]) -> dict[str, StoredText]: ...

    async def inbox(self, recipient: str, after: PageMark | None, limit: int) -> list[StoredText]:
        """A recipient's messages, newest first."""
        ...

    async def erase(self, recipient: str) -> int:
        """Erase everything of a recipient; returns the number of documents."""
        ...
