"""Applies stored partner events to declarations that came later.

An event waits until it is applied to every declaration that it concerns. It is retried if no declaration
is found, if one has parked input (which goes first), or if one refuses it. An event may reach a
declaration by several paths; its id ensures that it is applied once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from chassis.aggregates import Applied, Duplicate, Input
from chassis.clock import Clock
from chassis.delivery import content_hash
from chassis.parking import Locked
from chassis.waiting import Alarm
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.topics import PARTNERS
from declarations.aggregate import NUMBER, PAYMENT_REFERENCE, TRANSPORT_DOCUMENT, UCR, Declarations
from declarations.domain.commands import Command
from declarations.domain.correlation import concerns
from declarations.domain.references import References
from declarations.domain.state import State
from declarations.messages import claim, kind_of
from declarations.ports import KeptEvent, PartnerEvents

FIRST_ATTEMPT = timedelta(seconds=1)
LAST_PAUSE = timedelta(minutes=5)
SWEEP_BATCH = 200

_FIELDS = {
    "payment_reference": PAYMENT_REFERENCE,
    "ucr": UCR,
    "declaration_number": NUMBER,
    "transport_document": TRANSPORT_DOCUMENT,
}

log = structlog.get_logger(__name__)


class Waiting:
    """Stored events that wait for a declaration, and their retry times."""

    def __init__(self, events: PartnerEvents, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._alarm = Alarm(clock)

    async def wait(self, events: Sequence[KeptEvent]) -> None:
        """Schedule the next attempt of events: after a second, then with growing intervals."""
        moments = next_attempts(events, self._clock.now())
        await self._events.mark_waiting(moments)
        for moment in moments.values():
            self._alarm.set(moment)

    async def one_is_due(self) -> None:
        """Wait until an event is due."""
        await self._alarm.rings()


class Joiner:
    """Applies stored events to declarations and records which of them must still wait."""

    def __init__(self, declarations: Declarations, events: PartnerEvents, waiting: Waiting, parking: Locked) -> None:
        self._declarations = declarations
        self._events = events
        self._waiting = waiting
        self._parking = parking

    async def join_early(self, states: Sequence[State]) -> None:
        """Apply the events stored before these declarations came."""
        kept = await self._events.with_references([_references(state) for state in states])
        found = {each.id: _concerned(each, states) for each in kept}
        # A waiting event may wait for another declaration too: it is done only when applied to all it concerns.
        found |= await find_concerned(self._declarations, [each for each in kept if each.attempts])
        await self.join([each for each in kept if found[each.id]], found)

    async def join(self, events: Sequence[KeptEvent], found: Mapping[str, Sequence[str]]) -> None:
        """Apply events to the declarations found for them; those not applied to all of them wait."""
        locked = await self._parking.locked({target for each in events for target in found[each.id]})
        waiting = {each.id for each in events if not found[each.id] or locked.intersection(found[each.id])}
        inputs = [_input(each, target) for each in events for target in found[each.id] if target not in locked]
        outcomes = await self._declarations.apply(inputs) if inputs else []
        for input_, outcome in zip(inputs, outcomes, strict=True):
            if not isinstance(outcome, Applied | Duplicate):
                waiting.add(input_.cause)
                log.error("early_event_not_applied", target=input_.target, cause=input_.cause, outcome=repr(outcome))
        await self._events.mark_matched([each.id for each in events if each.id not in waiting])
        await self._waiting.wait([each for each in events if each.id in waiting])


class Sweeper:
    """Retries waiting events, including those that were missed when event and declaration arrived together."""

    def __init__(
        self, declarations: Declarations, events: PartnerEvents, waiting: Waiting, joiner: Joiner, clock: Clock
    ) -> None:
        self._declarations = declarations
        self._events = events
        self._waiting = waiting
        self._joiner = joiner
        self._clock = clock

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            if not await self.sweep():
                await self._waiting.one_is_due()

    async def sweep(self) -> bool:
        """Process the due events once; returns whether there may be more."""
        waiting = await self._events.due(self._clock.now(), SWEEP_BATCH)
        if not waiting:
            return False
        await self._joiner.join(waiting, await find_concerned(self._declarations, waiting))
        return len(waiting) == SWEEP_BATCH


async def find_concerned(declarations: Declarations, events: Sequence[KeptEvent]) -> dict[str, list[str]]:
    """Event id → ids of the declarations that it concerns; one query per kind of reference."""
    wanted: dict[str, set[str]] = {}
    for each in events:
        if each.references.decisive is not None:
            name, value = each.references.decisive
            wanted.setdefault(name, set()).add(value)
    candidates: list[State] = []
    for name, values in wanted.items():
        candidates += await declarations.find({_FIELDS[name]: {"$in": sorted(values)}})
    return {each.id: _concerned(each, candidates) for each in events}


def next_attempts(events: Sequence[KeptEvent], now: datetime) -> dict[str, datetime]:
    """Event id → time of the next attempt: after a second, then with growing intervals."""
    return {each.id: now + min(FIRST_ATTEMPT * 2 ** min(each.attempts, 20), LAST_PAUSE) for each in events}


def _concerned(event: KeptEvent, states: Sequence[State]) -> list[str]:
    kind = kind_of(event.type)
    return sorted({state.id for state in states if concerns(kind, event.references, state)})


def _references(state: State) -> References:
    declaration = state.declaration
    reference = state.assessment.payment_reference if state.assessment else None
    return References(declaration.ucr, state.number, declaration.transport.document, payment_reference=reference)


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
