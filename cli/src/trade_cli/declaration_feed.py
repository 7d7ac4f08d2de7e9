"""Reads the declarations topic, so that a load learns outcomes without polling the platform.

One consumer reads the topic for all shipments, from its current end; nothing is committed. An event may be on the topic
twice and is handed out once: a partner that answered twice would send another time under the same id.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.consuming import Reader
from chassis.tasks import cancel
from contracts.envelope import Envelope, parse
from contracts.topics import DECLARATIONS

_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Said:
    """One event of one declaration."""

    fact: str
    """`accepted` of `trade.declarations.declaration.accepted.v1`."""
    at: datetime
    payload: Mapping[str, Any]


class Feed:
    """Events by the declarant's reference."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Queue[Said]] = {}
        self._handed_out: dict[str, set[str]] = {}
        """Reference → ids of events."""

    def listen(self, lrn: str) -> "asyncio.Queue[Said]":
        """The events of this reference from now on; call it before lodging."""
        return self._waiting.setdefault(lrn, asyncio.Queue())

    def forget(self, lrn: str) -> None:
        self._waiting.pop(lrn, None)
        self._handed_out.pop(lrn, None)

    async def follow(self, reader: Reader) -> None:
        """Read and hand out events, for ever."""
        while True:
            batch = await reader.getmany(timeout_ms=_POLL_MS)
            for records in batch.values():
                for record in records:
                    self._hand_out(record.headers, record.value)

    def _hand_out(self, headers: Any, value: bytes | None) -> None:
        envelope = parse(headers)
        if not isinstance(envelope, Envelope) or value is None:
            return
        payload = json.loads(value)
        lrn = payload.get("lrn", "")
        queue = self._waiting.get(lrn)
        if queue is None or envelope.id in (handed_out := self._handed_out.setdefault(lrn, set())):
            return
        handed_out.add(envelope.id)
        queue.put_nowait(Said(envelope.type.split(".")[3], envelope.time, payload))


@asynccontextmanager
async def feed(kafka: str) -> AsyncIterator[Feed]:
    """The feed of a broker, from the current end of the topic."""
    reader = Reader(DECLARATIONS.name, bootstrap_servers=kafka, group_id=None, auto_offset_reset="latest")
    await reader.start()
    try:
        await reader.seek_to_end()
        for partition in reader.assignment():
            await reader.position(partition)  # fixes the position now, not at the first read
        found = Feed()
        following = asyncio.create_task(found.follow(reader))
        try:
            yield found
        finally:
            await cancel([following])
    finally:
        await reader.stop()
