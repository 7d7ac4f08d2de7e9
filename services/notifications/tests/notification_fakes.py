"""In-memory ports of notifications: registry, mail server and texts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chassis.failures import InfrastructureError
from chassis.waiting import Taken
from notifications.contacts import Contact
from notifications.domain.notice import Channel
from notifications.mail import Handover, Mail
from notifications.texts import PageMark, StoredText


@dataclass
class FakeRegistry:
    """Contacts by SCHEME:VALUE; unreachable while `away` is set, silent while `silent` is."""

    known: dict[str, Contact] = field(default_factory=dict)
    away: bool = False
    silent: bool = False
    asked: list[list[str]] = field(default_factory=list)

    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        if self.away:
            raise InfrastructureError("registry is away")
        if self.silent:
            await asyncio.Event().wait()
        self.asked.append(list(recipients))
        return [self.known.get(each) for each in recipients]


@dataclass
class Collecting:
    """A mail server that accepts everything."""

    given: list[Mail] = field(default_factory=list)

    async def hand_over(self, mail: Mail) -> Handover:
        self.given.append(mail)
        return Taken()


class MemoryTexts:
    """In-memory store for handler tests; passes the contract suite of the MongoDB store."""

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
