"""Breaks of the core: see `chaos.sabotage`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from chassis.aggregates import Aggregates, apply
from chassis.aggregates.batch import Batch
from chassis.aggregates.change import Change, write
from chassis.aggregates.document import Document, Loaded, OutboxEntry, read
from chassis.consuming.commits import Commits
from chassis.consuming.consumer import Consumer
from chassis.delivery.records import RawRecord, next_of_each
from chassis.publishing.publisher import Publisher

Die = Callable[[], None]


def die_before_commit(die: Die) -> None:
    commit = Commits.commit

    async def dies_first(self: Commits, consumer: Any) -> None:
        if self._offsets:
            die()
        await commit(self, consumer)

    Commits.commit = dies_first  # type: ignore[method-assign]


def commit_before_saving(die: Die) -> None:
    process = Consumer._on_batch

    async def commits_first(self: Consumer, records: list[RawRecord]) -> None:
        if self._consumer is not None:
            offsets = {TopicPartition(*partition): offset for partition, offset in next_of_each(records).items()}
            await self._consumer.commit(offsets)
            die()
        await process(self, records)

    Consumer._on_batch = commits_first  # type: ignore[method-assign]


def publish_without_outbox(die: Die) -> None:
    entries: dict[str, tuple[str, list[OutboxEntry]]] = {}
    save = Aggregates._save

    def without_outbox(type_: Any, loaded: Loaded[Any], acknowledged: int) -> Change:
        change = write(type_, loaded, acknowledged)
        entries[change.id] = (change.key, change.outbox)
        return change._replace(outbox=[])

    async def saves_then_publishes(
        self: Aggregates[Any, Any, Any],
        changed: Sequence[Loaded[Any]],
        batch: Batch[Any, Any],
        token: str,
        *,
        remember: bool,
    ) -> list[str]:
        lost = await save(self, changed, batch, token, remember=remember)
        for loaded in changed:
            key, unsent = entries.pop(loaded.id, ("", []))
            if unsent and loaded.id not in lost:
                die()
                self._outbox.offer(self, loaded.id, key, unsent)
        return lost

    apply.write = without_outbox  # type: ignore[attr-defined]
    Aggregates._save = saves_then_publishes  # type: ignore[method-assign]


def trim_before_acknowledgement(die: Die) -> None:
    offer = Publisher.offer
    tasks = set[asyncio.Task[None]]()

    def trims_first(self: Publisher, source: Any, id_: str, key: str, entries: Sequence[OutboxEntry]) -> None:
        async def trim_and_send() -> None:
            await source.trim({id_: entries[-1]["seq"]})
            die()
            offer(self, source, id_, key, entries)

        task = asyncio.get_running_loop().create_task(trim_and_send())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    Publisher.offer = trims_first  # type: ignore[method-assign]


def forget_what_was_applied(die: Die) -> None:

    def remembers_nothing(type_: Any, id_: str, document: Document | None) -> Loaded[Any]:
        loaded = read(type_, id_, document)
        loaded.causes.clear()
        return loaded

    apply.read = remembers_nothing  # type: ignore[attr-defined]
    die_before_commit(die)


BREAKS: Mapping[str, Callable[[Die], None]] = {
    "none": die_before_commit,
    "offset-before-save": commit_before_saving,
    "no-outbox": publish_without_outbox,
    "trim-before-ack": trim_before_acknowledgement,
    "no-deduplication": forget_what_was_applied,
}
