"""A sample effect: parcels, each sent by one road, and a carrier that a test controls."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from chassis.aggregates import Aggregates, AggregateType, Failed, Input, dataclass_codec
from chassis.aggregates.document import Document
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, MemoryDocuments, RecordingOutbox, in_memory
from chassis.waiting import Effect, Effects, Limits, NotTaken, Route, Taken
from contracts.topics import Topic

TOPIC = Topic("parcels.events.v1", "parcels", ("parcels",), ("tests",), "the parcel's id")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LIMITS = Limits(
    lease_seconds=10,
    at_once=4,
    at_once_per_route=2,
    first_retry_seconds=5,
    longest_retry_seconds=3600,
    give_up_after_seconds=24 * 3600,
)


@dataclass(frozen=True, slots=True)
class Parcel:
    id: str
    road: str
    since: datetime
    due: datetime | None
    held: bool = False
    attempts: int = 0
    end: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    id: str
    road: str
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    attempt: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NoteTaken:
    attempt: int


@dataclass(frozen=True, slots=True)
class NoteNotTaken:
    attempt: int
    why: str
    retry_at: datetime | None


Command = Ask | Claim | NoteTaken | NoteNotTaken


@dataclass(frozen=True, slots=True)
class Changed:
    """The whole parcel: the sample needs only this event."""

    parcel: Parcel


class NotDue(Exception):
    """Another process has claimed the parcel."""


class Unnotable(Exception):
    """The sample's only rule that can fail: results on this road cannot be saved."""


def decide(state: Parcel | None, command: Command, now: datetime) -> tuple[Changed, ...]:
    if isinstance(command, Ask):
        if state is not None:
            return ()
        parcel = Parcel(command.id, command.road, since=now, due=now)
        return (Changed(parcel), *_held(parcel, 1, command.held_until))
    assert state is not None
    match command:
        case Claim(attempt, until):
            if state.due is None or state.due > now or attempt != state.attempts + 1:
                raise NotDue(state.id)
            return _held(state, attempt, until)
        case NoteTaken():
            if state.road == "unnotable":
                raise Unnotable(state.id)
            return () if state.end else (Changed(replace(state, due=None, held=False, end="taken")),)
        case NoteNotTaken(attempt, why, retry_at):
            if state.end or attempt != state.attempts:
                return ()
            return (Changed(replace(state, due=retry_at, held=False, end="" if retry_at else why)),)


def _held(parcel: Parcel, attempt: int, until: datetime | None) -> tuple[Changed, ...]:
    return () if until is None else (Changed(replace(parcel, due=until, held=True, attempts=attempt)),)


_EVENT = TypeAdapter(Changed)


class ParcelMessages:
    def encode(self, event: Changed, state: Parcel) -> tuple[str, bytes]:
        return "trade.parcels.parcel.changed.v1", _EVENT.dump_json(event)

    def decode(self, type: str, data: bytes) -> Changed:  # noqa: A002 - the port's name
        return _EVENT.validate_json(data)


PARCEL: AggregateType[Parcel, Command, Changed] = AggregateType(
    name="parcel",
    collection="parcels",
    decide=decide,
    evolve=lambda _, event: event.parcel,
    key=lambda parcel: parcel.id,
    codec=dataclass_codec(Parcel),
    messages=ParcelMessages(),
    due_at=lambda parcel: parcel.due,
)

Parcels = Aggregates[Parcel, Command, Changed]
Carried = Effects[Parcel, Command, str, str]


class Stored(MemoryDocuments):
    """The documents; nothing can be loaded, found or saved while `away` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.looks = 0

    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        self._answer()
        return await super().load(ids)

    async def find(self, where: Mapping[str, Any], **how: Any) -> list[Document]:
        self._answer()
        self.looks += 1
        return await super().find(where, **how)

    async def save(self, *args: Any) -> set[str]:
        self._answer()
        return await super().save(*args)

    def _answer(self) -> None:
        if self.away:
            raise InfrastructureError("the database is away")


@dataclass
class Carrier:
    """Accepts and records parcels; a road can be shut, so that its attempts do not end until it opens."""

    answers: list[Taken | NotTaken[str] | Exception] = field(default_factory=list)
    """The next ones, before it takes all."""
    given: list[str] = field(default_factory=list)
    shut: set[str] = field(default_factory=set)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    on_the_road: Counter[str] = field(default_factory=Counter)
    most: int = 0
    """At once."""
    most_of: Counter[str] = field(default_factory=Counter)

    async def carry(self, parcel: Parcel, label: str | None) -> Taken | NotTaken[str]:
        assert label == f"label of {parcel.id}"
        self.given.append(parcel.id)
        self.began.set()
        self.on_the_road[parcel.road] += 1
        self.most = max(self.most, self.on_the_road.total())
        self.most_of |= self.on_the_road
        try:
            if parcel.road in self.shut:
                await self.opened.wait()
            answer = self.answers.pop(0) if self.answers else Taken()
        finally:
            self.on_the_road[parcel.road] -= 1
            self.answered.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class World:
    """Parcels on a clock that stands still."""

    clock: ManualClock = field(default_factory=ManualClock)
    stored: Stored = field(default_factory=Stored)
    carrier: Carrier = field(default_factory=Carrier)
    outbox: RecordingOutbox = field(default_factory=RecordingOutbox)
    labels_away: bool = False

    def __post_init__(self) -> None:
        self.parcels = self.another_process()

    def another_process(self) -> Parcels:
        """The same parcels, saved without this process noticing."""
        parcels, _ = in_memory(PARCEL, topic=TOPIC, clock=self.clock, documents=self.stored, outbox=self.outbox)
        return parcels

    def effect(self) -> Effect[Parcel, Command, str, str]:
        return Effect(
            name="parcel",
            actor="service:parcels",
            route=Route(lambda parcel: parcel.road, "road"),
            id=lambda parcel: parcel.id,
            waits=lambda parcel: not parcel.held and parcel.due is not None,
            attempts=lambda parcel: parcel.attempts,
            since=lambda parcel: parcel.since,
            load=self._labels,
            attempt=self.carrier.carry,
            broke=lambda _, error: NotTaken(type(error).__name__),
            claim=Claim,
            taken=NoteTaken,
            not_taken=NoteNotTaken,
            not_due=NotDue,
        )

    def effects(self, parcels: Parcels | None = None, **limits: float) -> Carried:
        within = replace(LIMITS, **limits)  # type: ignore[arg-type]
        return Effects(parcels or self.parcels, self.effect(), within, self.clock)

    async def _labels(self, ids: Sequence[str]) -> dict[str, str]:
        if self.labels_away:
            raise InfrastructureError("the labels are away")
        return {id_: f"label of {id_}" for id_ in ids}

    async def ask(self, *ids: str, road: str = "road", parcels: Parcels | None = None) -> None:
        """Have parcels carried."""
        inputs = [
            Input[Command](id_, f"asked {id_}", Ask(id_, road), "staff:test", trace={"traceparent": TRACE})
            for id_ in ids
        ]
        for outcome in await (parcels or self.parcels).apply(inputs):
            if isinstance(outcome, Failed):
                raise outcome.error

    async def state(self, id_: str) -> Parcel:
        parcel = await self.parcels.get(id_)
        assert parcel is not None
        return parcel


async def attempt_due(effects: Carried) -> int:
    """Attempt everything due now, and wait; returns the number of attempts."""
    started = 0
    while count := await effects.start_due():
        started += count
        await effects.idle()
    return started
