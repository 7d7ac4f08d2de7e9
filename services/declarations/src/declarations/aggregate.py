"""What a declaration is to the chassis: its decisions under a law, its key, its deadline, its indexes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
from declarations.domain.commands import Command
from declarations.domain.events import CaseOpened, Event
from declarations.domain.evolve import evolve
from declarations.domain.law import Law
from declarations.domain.lifecycle import decide
from declarations.domain.state import State, Status
from declarations.messages import DeclarationMessages
from declarations.metrics import CASES_OPENED

Declarations: TypeAlias = Aggregates[State, Command, Event]

UCR = "state.declaration.ucr"
NUMBER = "state.number"
TRANSPORT_DOCUMENT = "state.declaration.transport.document"
PAYMENT_REFERENCE = "state.assessment.payment_reference"
"""Fields that partner events are matched by."""

INDEXES = tuple(IndexModel([(name, ASCENDING)]) for name in (UCR, NUMBER, TRANSPORT_DOCUMENT, PAYMENT_REFERENCE))


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
        codec=dataclass_codec(State),
        messages=DeclarationMessages(),
        due_at=payment_due_at,
        try_after=lambda state: state.try_after,
        baggage=_baggage,
        indexes=INDEXES,
    )


def payment_due_at(state: State) -> datetime | None:
    """The payment deadline while it can still mean something; whether it was met is judged when it passes."""
    if state.status is not Status.ASSESSED or state.assessment is None or state.deadline_passed:
        return None
    return state.assessment.pay_by


def _baggage(state: State) -> Mapping[str, str]:
    return {"trade.ucr": state.declaration.ucr, "trade.declaration.id": state.id}
