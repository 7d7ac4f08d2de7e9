"""Address and text of notices, and the port behind which they are stored.

Personal data: they stand in documents of their own that can be erased. The first text of a notice
stays, whatever is asked again; its address follows registry. An inbox is what was written to one
recipient on channel `inbox`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from notifications.domain.notice import Channel


@dataclass(frozen=True, slots=True)
class StoredText:
    """What a recipient reads, and where it goes."""

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
    """Empty for an inbox, and where registry knows none."""
    stored_at: datetime


PageMark = tuple[datetime, str]
"""Where a page ended: time and notice id of its last message."""


class Texts(Protocol):
    async def keep(self, texts: Sequence[StoredText]) -> dict[str, StoredText]:
        """Store what is new, take over new addresses; return what is stored now, by notice id."""
        ...

    async def load(self, notice_ids: Sequence[str]) -> dict[str, StoredText]: ...

    async def inbox(self, recipient: str, after: PageMark | None, limit: int) -> list[StoredText]:
        """A recipient's messages, newest first."""
        ...

    async def erase(self, recipient: str) -> int:
        """Erase everything of a recipient; how many documents it was."""
        ...


class MemoryTexts:
    """The same in memory, for tests of handlers; passes the contract suite of the real store."""

    def __init__(self) -> None:
        self._stored: dict[str, StoredText] = {}

    async def keep(self, texts: Sequence[StoredText]) -> dict[str, StoredText]:
        for text in texts:
            present = self._stored.get(text.notice_id, text)
            self._stored[text.notice_id] = replace(present, email=text.email)
        return await self.load([text.notice_id for text in texts])

    async def load(self, notice_ids: Sequence[str]) -> dict[str, StoredText]:
        return {id_: self._stored[id_] for id_ in notice_ids if id_ in self._stored}

    async def inbox(self, recipient: str, after: PageMark | None, limit: int) -> list[StoredText]:
        own = [
            text
            for text in self._stored.values()
            if text.recipient == recipient
            and text.channel is Channel.INBOX
            and (after is None or (text.stored_at, text.notice_id) < after)
        ]
        return sorted(own, key=lambda text: (text.stored_at, text.notice_id), reverse=True)[:limit]

    async def erase(self, recipient: str) -> int:
        own = [id_ for id_, text in self._stored.items() if text.recipient == recipient]
        for id_ in own:
            del self._stored[id_]
        return len(own)
