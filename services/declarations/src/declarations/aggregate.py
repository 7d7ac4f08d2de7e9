"""The aggregate type of declarations: decisions under a law, key, deadlines, indexes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
from chassis.waiting import Passing
from declarations.domain.commands import Command, PassDeadline
from declarations.domain.deadlines import PAYMENT, due_at, earliest
from declarations.domain.events import CaseOpened, Event
from declarations.domain.evolve import evolve
from declarations.domain.law import Law
from declarations.domain.life import decide
from declarations.domain.state import State
from declarations.messages import DeclarationMessages
from declarations.metrics import CASES_OPENED

Declarations: TypeAlias = Aggregates[State, Command, Event]

UCR = "state.declaration.ucr"
NUMBER = "state.number"
TRANSPORT_DOCUMENT = "state.declaration.transport.document"
PAYMENT_REFERENCE = "state.assessment.payment_reference"
"""Document fields by which partner events find their declarations."""

INDEXES = tuple(IndexModel([(name, ASCENDING)]) for name in (UCR, NUMBER, TRANSPORT_DOCUMENT, PAYMENT_REFERENCE))


class NoDeadline(Exception):
    """The timer fired for a declaration without a deadline that applies."""


class StateCodec:
    """Encodes a state; also reads and writes the field of earlier releases, which know only the payment deadline."""

    _FORMER = "deadline_passed"

    def __init__(self) -> None:
        self._codec = dataclass_codec(State)

    def encode(self, state: State) -> dict[str, Any]:
        passed = sorted(state.deadlines_passed)
        return {**self._codec.encode(state), "deadlines_passed": passed, self._FORMER: PAYMENT.name in passed}

    def decode(self, fields: Mapping[str, Any]) -> State:
        """See `dataclass_codec`."""
        state = self._codec.decode(fields)
        if not fields.get(self._FORMER):
            return state
        return replace(state, deadlines_passed=state.deadlines_passed | {PAYMENT.name})


def declaration_type(law: Law) -> AggregateType[State, Command, Event]:
    """The aggregate type of declarations under a law."""

    def decide_under_law(state: State | None, command: Command, now: datetime) -> Sequence[Event]:
        events = decide(state, command, now=now, law=law)
        for event in events:
            if isinstance(event, CaseOpened):
                CASES_OPENED.labels(reason=event.reason).inc()
        return events

    return AggregateType(
        name="declaration",
        collection="declarations",
        decide=decide_under_law,
        evolve=evolve,
        key=lambda state: state.declaration.ucr,  # never changes between versions
        codec=StateCodec(),
        messages=DeclarationMessages(),
        due_at=due_at,
        try_after=lambda state: state.try_after,
        baggage=_baggage,
        indexes=INDEXES,
    )


def passing_of(state: State) -> Passing[Command]:
    """The passing of the deadline for which a declaration's timer fired.

    Raises:
        NoDeadline: no deadline applies.
    """
    row = earliest(state)
    if row is None:
        raise NoDeadline(state.id)
    return Passing(row.name, PassDeadline(row.name))


def _baggage(state: State) -> Mapping[str, str]:
    return {"trade.ucr": state.declaration.ucr, "trade.declaration.id": state.id}
