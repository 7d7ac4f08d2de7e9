"""Rebuilds a lost database from the service's own topic: published events are folded, nothing is decided again.

Per aggregate, events are folded in the order of their sequence numbers, skipping those that the document has, so an
older copy is brought up to date too. Their `causationid` restores the history lines of all inputs that changed
something. Afterwards the group's offsets are set to the beginning. Reading all inputs again restores unpublished
changes, parked deliveries, and the history lines of inputs that changed nothing; all others are duplicates. Of an
aggregate's last cause, only some events may have been published; the state before it is kept in the document until
its input is read again, so that the missing events are decided as the first time.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chassis.aggregates import Aggregates
from chassis.aggregates.change import write
from chassis.aggregates.document import Document, Loaded, OutboxEntry, read
from chassis.delivery import RawRecord
from contracts.envelope import Envelope, parse

BATCH = 500


class EventsMissing(Exception):
    """The topic has a gap: an aggregate's event is there, the one before it is not."""


class AheadOfTopic(Exception):
    """An aggregate has events that the topic does not have: the topic has lost its latest events."""


@dataclass(frozen=True, slots=True)
class _Published:
    """One event from the topic."""

    envelope: Envelope
    data: bytes


class Rebuild:
    """Folds topics into the documents of some aggregate types of one service."""

    def __init__(self, aggregates: Sequence[Aggregates[Any, Any, Any]]) -> None:
        self._of_name = {each.type.name: each for each in aggregates}
        self._on_topic: dict[str, list[Aggregates[Any, Any, Any]]] = {}
        for each in aggregates:
            self._on_topic.setdefault(each.topic, []).append(each)
        self._early: dict[tuple[str, str], dict[int, _Published]] = {}
        self._highest: dict[tuple[str, str], int] = {}
        self.folded = 0

    async def fold(self, records: Sequence[RawRecord]) -> None:
        """Fold a batch of records; an event that comes before its predecessor waits for it."""
        for record in records:
            envelope = parse(record.headers)
            if not isinstance(envelope, Envelope) or envelope.sequence < 1 or record.value is None:
                continue
            name = self._owner(record.topic, envelope.type)
            if name is not None:
                aggregate = name, envelope.subject
                self._early.setdefault(aggregate, {}).setdefault(envelope.sequence, _Published(envelope, record.value))
                self._highest[aggregate] = max(envelope.sequence, self._highest.get(aggregate, 0))
        for name, aggregates in self._of_name.items():
            await self._fold_into(aggregates, [id_ for other, id_ in self._early if other == name])

    def _owner(self, topic: str, event_type: str) -> str | None:
        """The aggregate type of such events: the only one on the topic, otherwise by the event type's aggregate."""
        mine = self._on_topic.get(topic, ())
        if len(mine) == 1:
            return mine[0].type.name
        name = _aggregate_name(event_type)
        return next((each.type.name for each in mine if name in (each.type.tells_of or (each.type.name,))), None)

    def finish(self) -> None:
        """Check that everything was folded.

        Raises:
            EventsMissing: an event still waits for a predecessor that the topic does not have.
        """
        if self._early:
            (name, id_), waiting = next(iter(self._early.items()))
            raise EventsMissing(f"{name} {id_}: the event before event {min(waiting)} is not on the topic")

    async def check_tail(self) -> None:
        """Check that the topic has all events that its aggregates have published.

        Continuing after lost events would leave a gap that no later rebuild could close.

        Raises:
            AheadOfTopic: it does not; the text says how many aggregates have more events, and names the first.
        """
        for name, aggregates in self._of_name.items():
            ahead: list[str] = []
            last = ""
            while page := await aggregates.documents.find({"_id": {"$gt": last}}, sort=[("_id", 1)], limit=BATCH):
                last = page[-1]["_id"]
                ahead += [each["_id"] for each in page if _published(each) > self._highest.get((name, each["_id"]), 0)]
            if ahead:
                raise AheadOfTopic(
                    f"{aggregates.topic} has lost its tail: {len(ahead)} of {name} know events that it does not have,"
                    f" {ahead[0]} the first"
                )

    async def _fold_into(self, aggregates: Aggregates[Any, Any, Any], ids: Sequence[str]) -> None:
        if not ids:
            return
        documents = await aggregates.documents.load(ids)
        token = secrets.token_hex(8)
        changed: list[Loaded[Any]] = []
        for id_ in ids:
            loaded = read(aggregates.type, id_, documents.get(id_))
            waiting = self._early.pop((aggregates.type.name, id_))
            highest = max(waiting)
            for seq in sorted(waiting):
                if seq <= loaded.seq:
                    continue
                if seq != loaded.seq + 1:
                    self._early[aggregates.type.name, id_] = {late: waiting[late] for late in waiting if late >= seq}
                    break
                self._fold_one(aggregates, loaded, waiting[seq], token)
            loaded.outbox = [entry for entry in loaded.outbox if entry["seq"] > highest]
            if loaded.changed:
                changed.append(loaded)
        changes = [write(aggregates.type, loaded, acknowledged=0) for loaded in changed]
        saved = await aggregates.documents.save(changes, token)
        if len(saved) != len(changed):
            raise RuntimeError("documents changed while they were rebuilt: stop every replica of the service first")
        for loaded in changed:
            await aggregates.shorten(loaded)

    def _fold_one(
        self, aggregates: Aggregates[Any, Any, Any], loaded: Loaded[Any], published: _Published, token: str
    ) -> None:
        envelope = published.envelope
        event = aggregates.type.messages.decode(envelope.type, published.data)
        before, loaded.state = loaded.state, aggregates.type.evolve(loaded.state, event)
        loaded.seq = envelope.sequence
        self.folded += 1
        line = next(iter(reversed(loaded.new_lines or loaded.history)), None)
        if line is not None and line["cause"] == envelope.causationid:
            line["events"].append(envelope.id)
            loaded.rewritten |= not loaded.new_lines  # the previous batch ended between two events of one cause
            return
        loaded.rebuilt = {
            "cause": envelope.causationid,
            "at": envelope.time,
            "before": None if before is None else aggregates.type.codec.encode(before),
        }
        loaded.new_lines.append(
            {
                "cause": envelope.causationid,
                "hash": "",
                "by": envelope.actor,
                "at": envelope.time,
                "token": token,
                "trace": dict(envelope.trace),
                "events": [envelope.id],
            }
        )


def _published(document: Document) -> int:
    """The minimum number of an aggregate's events that Kafka has acknowledged."""
    outbox: list[OutboxEntry] = document["outbox"]
    waiting = [entry["seq"] for entry in outbox]
    return min(waiting) - 1 if waiting else int(document["seq"])


def _aggregate_name(event_type: str) -> str:
    """`declaration` of `trade.declarations.declaration.accepted.v1`."""
    parts = event_type.split(".")
    return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - trade, service, aggregate
