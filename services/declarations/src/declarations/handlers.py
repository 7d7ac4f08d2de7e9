"""The use cases: a partner event finds its declarations, a lodged declaration is looked up.

An early event and its declaration find each other because each side writes first and looks for the
other then: the event is kept before declarations are looked for, the declaration is saved before
`LookUp` looks for kept events. What is matched by a reference that a declaration gets later (its
number) is joined by the sweeper. The same event reaches a declaration on whichever way comes first;
its id makes it count once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from chassis.aggregates import Failed, Input, Outcome
from chassis.clock import Clock
from chassis.delivery import Delivery, content_hash, to_input
from chassis.records import Event
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.partners.v1 import PartnerEvent
from contracts.topics import PARTNERS
from contracts.values import Classifier
from declarations.declaration_type import NUMBER, TRANSPORT_DOCUMENT, UCR, Declarations
from declarations.domain import number
from declarations.domain.commands import AnswerParties, Command
from declarations.domain.correlation import References, concerns
from declarations.domain.state import State, Status
from declarations.messages import claim, kind_of, references_of
from declarations.ports import KeptEvent, PartnerEvents, Registry, SerialRequest, Serials

FIRST_ATTEMPT = timedelta(seconds=1)
LAST_PAUSE = timedelta(minutes=5)
SWEEP_SECONDS = 1.0
SWEEP_BATCH = 200

_FIELDS = {"ucr": UCR, "declaration_number": NUMBER, "transport_document": TRANSPORT_DOCUMENT}

log = structlog.get_logger(__name__)


class PartnerEventHandler:
    """Keeps every partner event and hands actual ones to the declarations that they concern."""

    def __init__(self, declarations: Declarations, events: PartnerEvents, clock: Clock) -> None:
        self._declarations = declarations
        self._events = events
        self._clock = clock

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        kept = [_kept(event) for event in events]
        await self._events.keep(kept)
        actual = [each for each in kept if each.classifier == Classifier.ACTUAL]
        found = await find_concerned(self._declarations, actual)
        lost = [each for each in actual if not found[each.id]]
        await self._events.await_declaration(_next_attempts(lost, self._clock.now()))
        return [found.get(each.id, []) for each in kept]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        return await self._declarations.apply([to_input(delivery, _command(delivery.event)) for delivery in deliveries])


class LookUp:
    """The step of a declaration that was just lodged: early events join it, the registry answers for its parties."""

    def __init__(self, declarations: Declarations, events: PartnerEvents, registry: Registry, serials: Serials) -> None:
        self._declarations = declarations
        self._events = events
        self._registry = registry
        self._serials = serials

    async def __call__(self, states: Sequence[State]) -> Sequence[Input[Command] | None]:
        """One answer per declaration. While the registry is away its error goes up, and all wait."""
        await self._join_early_events(states)
        standings = await self._registry.standings([party for state in states for party in state.declaration.parties])
        serials = await self._serials.reserve([serial_request(state) for state in states])
        return [
            Input(
                target=state.id,
                cause=f"{state.id}/registry/{state.version}",
                command=AnswerParties(
                    version=state.version,
                    standings={index: standings[party] for index, party in enumerate(state.declaration.parties)},
                    serial=serial,
                ),
                actor="service:declarations",
                span="look up parties",
            )
            for state, serial in zip(states, serials, strict=True)
        ]

    async def _join_early_events(self, states: Sequence[State]) -> None:
        kept = await self._events.about([_references(state) for state in states])
        await join(self._declarations, kept, {each.id: _concerned(each, states) for each in kept})
        await self._events.matched([each.id for each in kept if _concerned(each, states)])


class Sweeper:
    """Joins waiting partner events with declarations that both sides missed."""

    def __init__(self, declarations: Declarations, events: PartnerEvents, clock: Clock) -> None:
        self._declarations = declarations
        self._events = events
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            if not await self.sweep():
                await self._clock.sleep(SWEEP_SECONDS)

    async def sweep(self) -> bool:
        """Look once for what is due; whether there may be more."""
        waiting = await self._events.to_look_again(self._clock.now(), SWEEP_BATCH)
        if not waiting:
            return False
        found = await find_concerned(self._declarations, waiting)
        await join(self._declarations, waiting, found)
        await self._events.matched([each.id for each in waiting if found[each.id]])
        lost = [each for each in waiting if not found[each.id]]
        await self._events.await_declaration(_next_attempts(lost, self._clock.now()))
        return len(waiting) == SWEEP_BATCH


async def restore_serials(declarations: Declarations, serials: Serials) -> None:
    """Reserve again what declarations hold: after a rebuild of the database."""
    held = await declarations.find({"state.status": {"$nin": [Status.SUBMITTED.value, Status.REJECTED.value]}})
    await serials.reserve([serial_request(state) for state in held])


async def find_concerned(declarations: Declarations, events: Sequence[KeptEvent]) -> dict[str, list[str]]:
    """Per event id the ids of the declarations that it concerns; one query per kind of reference."""
    wanted: dict[str, set[str]] = {}
    for each in events:
        if each.references.decisive is not None:
            name, value = each.references.decisive
            wanted.setdefault(name, set()).add(value)
    candidates: list[State] = []
    for name, values in wanted.items():
        candidates += await declarations.find({_FIELDS[name]: {"$in": sorted(values)}})
    return {each.id: _concerned(each, candidates) for each in events}


async def join(declarations: Declarations, events: Sequence[KeptEvent], found: Mapping[str, Sequence[str]]) -> None:
    """Apply kept events to the declarations found for them, as their delivery would have."""
    inputs = [_input(each, target) for each in events for target in found[each.id]]
    if not inputs:
        return
    for input_, outcome in zip(inputs, await declarations.apply(inputs), strict=True):
        if isinstance(outcome, Failed):
            log.error("early_event_not_joined", target=input_.target, cause=input_.cause, error=repr(outcome.error))


def serial_request(state: State) -> SerialRequest:
    declaration = state.declaration
    return SerialRequest(state.id, number.office_digits(declaration.customs_office), declaration.direction)


def _concerned(event: KeptEvent, states: Sequence[State]) -> list[str]:
    kind = kind_of(event.type)
    return sorted({state.id for state in states if concerns(kind, event.references, state)})


def _references(state: State) -> References:
    declaration = state.declaration
    return References(declaration.ucr, state.number, declaration.transport.document)


def _next_attempts(events: Sequence[KeptEvent], now: datetime) -> dict[str, datetime]:
    """When to look again: after a second, then ever more seldom."""
    return {each.id: now + min(FIRST_ATTEMPT * 2 ** min(each.attempts, 20), LAST_PAUSE) for each in events}


def _kept(event: Event) -> KeptEvent:
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return KeptEvent(
        id=event.envelope.id,
        type=event.envelope.type,
        classifier=payload.classifier.value,
        references=references_of(payload),
        occurred_at=payload.occurred_at,
        received_at=payload.received_at,
        publisher=payload.publisher,
        actor=event.envelope.actor,
        data=event.raw.decode(),
        trace=event.envelope.trace,
    )


def _command(event: Event) -> Command:
    assert isinstance(event.payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return claim(event.envelope.id, event.envelope.type, event.payload)


def _input(event: KeptEvent, target: str) -> Input[Command]:
    payload = PARTNER_EVENTS[event.type].model_validate_json(event.data)
    return Input(
        target=target,
        cause=event.id,
        command=claim(event.id, event.type, payload),
        actor=event.actor,
        hash=content_hash(event.data.encode()),
        trace=event.trace,
        span=f"process {PARTNERS.name}",
    )
