"""Breaks of what goes out: events, traces, timers, letters."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from chaos.simulation.broker import Progress
from chaos.simulation.plants.pieces import Pieces

from chassis.aggregates import Aggregates, apply
from chassis.aggregates.change import write
from chassis.aggregates.document import Document, Loaded, OutboxEntry
from chassis.publishing.hand_over import HandOver, Sending
from chassis.publishing.producer import Heard, Message
from chassis.publishing.publisher import Publisher
from chassis.publishing.sweeping import Sweeper
from chassis.waiting.effects import Effects
from chassis.waiting.timers import Passing, Timers


def publish_before_save() -> Pieces:
    save = Aggregates._save

    async def offers_first(self: Any, changed: Any, *rest: Any, remember: bool) -> list[str]:
        for loaded in changed:
            change = write(self.type, loaded, self._outbox.acknowledged(self, loaded.id))
            self._outbox.offer(self, change.id, change.key, change.outbox)
        return await save(self, changed, *rest, remember=remember)

    return [(Aggregates, "_save", offers_first)]


def no_outbox() -> Pieces:
    save, entries = Aggregates._save, dict[str, tuple[str, list[OutboxEntry]]]()

    def without(type_: Any, loaded: Loaded[Any], acknowledged: int) -> Any:
        change = write(type_, loaded, acknowledged)
        entries[change.id] = (change.key, change.outbox)
        return change._replace(outbox=[])

    async def saves_then_offers(self: Any, changed: Any, *rest: Any, remember: bool) -> list[str]:
        lost = await save(self, changed, *rest, remember=remember)
        for loaded in changed:
            key, unsent = entries.pop(loaded.id, ("", []))
            if loaded.id not in lost:
                self._outbox.offer(self, loaded.id, key, unsent)
        return lost

    return [(Aggregates, "_save", saves_then_offers), (apply, "write", without)]


def trim_before_acknowledgement() -> Pieces:
    offer, tasks = Publisher.offer, list[asyncio.Task[None]]()

    def trims_first(self: Publisher, source: Any, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None:
        async def trim_and_send() -> None:
            await source.trim({id_: entries[-1]["seq"]})
            offer(self, source, id_, key, entries)

        tasks.append(asyncio.ensure_future(trim_and_send()))

    return [(Publisher, "offer", trims_first)]


def two_in_flight() -> Pieces:
    hand_over = Publisher._hand_over

    def all_at_once(self: Publisher, sending: Sending, producer: Any) -> None:
        send = producer.send

        def each_alone(topic: str, key: bytes, messages: Sequence[Message], heard: Heard, **_: Any) -> None:
            told: list[BaseException | None] = []

            def one_heard(error: BaseException | None) -> None:
                told.append(error)
                if len(told) == len(messages):
                    heard(next(filter(None, told), None))

            for each in messages:
                send(topic, key, [each], one_heard)

        producer.send = each_alone
        try:
            hand_over(self, sending, producer)
        finally:
            producer.send = send

    return [(Publisher, "_hand_over", all_at_once)]


def new_id_for_each_attempt() -> Pieces:
    message, numbers = HandOver.message, count(1)

    def renamed(self: HandOver, sending: Sending, entry: OutboxEntry, source: str) -> Message:
        return message(self, sending, {**entry, "id": f"{entry['id']}~{next(numbers)}"}, source)

    return [(HandOver, "message", renamed)]


def not_swept() -> Pieces:
    async def never(self: Sweeper) -> None: ...

    return [(Sweeper, "run", never)]


def trace_dropped() -> Pieces:
    def without(type_: Any, loaded: Loaded[Any], acknowledged: int) -> Any:
        for entry in loaded.new_entries:
            entry["trace"], entry["cause_trace"] = {}, {}
        return write(type_, loaded, acknowledged)

    return [(apply, "write", without)]


def no_offset_rule() -> Pieces:
    async def always(self: Progress, ends: Any) -> bool:
        return True

    return [(Progress, "reached", always)]


def fires_early() -> Pieces:
    fire = Timers.fire_due

    async def ahead(self: Any) -> bool:
        if not isinstance(self._clock, _Ahead):
            self._clock = _Ahead(self._clock)
        return await fire(self)

    return [(Timers, "fire_due", ahead)]


class _Ahead:
    """A clock that goes too fast, though not so much that the timers would rest."""

    def __init__(self, clock: Any) -> None:
        self.sleep, self._clock = clock.sleep, clock

    def now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=4.5)  # type: ignore[no-any-return]


def fires_twice() -> Pieces:
    input_ = Timers._input

    def each_time_another(self: Any, document: Document, passing: Passing[Any]) -> Any:
        made = input_(self, document, passing)
        return made._replace(cause=f"{document['_id']}/{passing.name}/{self._clock.now().isoformat()}")

    return [(Timers, "_input", each_time_another)]


def send_without_claim() -> Pieces:
    async def at_once(self: Effects[Any, Any, Any, Any]) -> int:
        due = await self._due.take()
        documents = await self._aggregates.documents.load([each.id for each in due])
        for document in documents.values():
            self.start(self._aggregates.type.codec.decode(document["state"]), None, {})
        return len(documents)

    return [(Effects, "start_due", at_once)]


def another_id_for_each_send() -> Pieces:
    send, numbers = Effects._send, count(1)

    async def renamed(self: Effects[Any, Any, Any, Any], state: Any, material: Any) -> Any:
        return await send(self, replace(state, id=f"{state.id}#{next(numbers)}"), material)

    return [(Effects, "_send", renamed)]
