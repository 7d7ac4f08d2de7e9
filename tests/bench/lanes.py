"""How the floors publish: concurrently across documents, in order within each, without waiting.

Uses the client library's plain `send`. Acknowledged entries are remembered until the document's next save drops them
or until they are trimmed.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

MAX_UNSENT = 2000
"""Reading pauses above this number of unsent events."""


class Record(NamedTuple):
    """An event to be published."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Lanes:
    """One lane per document."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._lanes: dict[str, deque[tuple[int, Record]]] = {}
        self._publishing: set[asyncio.Task[None]] = set()
        self._seen: Mapping[str, int] = {}
        self.acknowledged: dict[str, int] = {}
        """Document → highest number of its acknowledged events that are not trimmed yet."""
        self.unsent = 0
        self.room = asyncio.Event()
        """Set while reading may continue."""
        self.room.set()

    def publish(self, document: str, entries: Sequence[tuple[int, Record]]) -> None:
        """Publish numbered events of a document."""
        self._count(len(entries))
        if (lane := self._lanes.get(document)) is not None:
            lane.extend(entries)
            return
        self._lanes[document] = deque(entries)
        task = asyncio.create_task(self._drain(document))
        self._publishing.add(task)
        task.add_done_callback(self._ended)

    def quiet(self) -> dict[str, int]:
        """Documents without further acknowledgements since the last call; others will be trimmed by their next save
        without an extra write."""
        seen, before = dict(self.acknowledged), self._seen
        self._seen = seen
        return {id_: number for id_, number in seen.items() if before.get(id_) == number}

    def trimmed(self, quiet: Mapping[str, int]) -> None:
        """Forget trimmed documents."""
        for id_, number in quiet.items():
            if self.acknowledged.get(id_) == number:
                del self.acknowledged[id_]

    async def _drain(self, document: str) -> None:
        lane = self._lanes[document]
        while lane:
            number, record = lane[0]
            answer: asyncio.Future[Any] = await self._producer.send(
                record.topic, record.value, key=record.key, headers=list(record.headers)
            )
            await answer
            lane.popleft()
            self.acknowledged[document] = number
            self._count(-1)
        del self._lanes[document]

    def _count(self, more: int) -> None:
        self.unsent += more
        if self.unsent < MAX_UNSENT:
            self.room.set()
        else:
            self.room.clear()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._publishing.discard(task)
