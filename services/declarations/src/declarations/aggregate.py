"""What a declaration is to the chassis: its decisions under a law, its key, its deadlines, its indexes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
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
"""Fields that partner events are matched by."""

INDEXES = tuple(IndexModel([(name, ASCENDING)]) for name in (UCR, NUMBER, TRANSPORT_DOCUMENT, PAYMENT_REFERENCE))


class NoDeadline(Exception):
    """A declaration was handed to the timer, and none of its deadlines counts."""


class StateCodec:
    """A state with its passed deadlines also as releases write and read them that know the one for payment alone."""

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
    """Declarations under a law."""

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
        key=lambda state: state.declaration.ucr,  # the same in every version
        codec=StateCodec(),
        messages=DeclarationMessages(),
        due_at=due_at,
        try_after=lambda state: state.try_after,
        baggage=_baggage,
        indexes=INDEXES,
    )


def deadline_of(state: State) -> PassDeadline:
    """The command of a document that is due.

    Raises:
        NoDeadline: nothing of it is due.
    """
    row = earliest(state)
    if row is None:
        raise NoDeadline(state.id)
    return PassDeadline(row.name)


def _baggage(state: State) -> Mapping[str, str]:
    return {"trade.ucr": state.declaration.ucr, "trade.declaration.id": state.id}
