"""The gateway's view of what became of declarations, from the events of their owner."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chassis.aggregates import Applied, Outcome
from chassis.delivery import Delivery, Event
from contracts.declarations.v1 import EVENTS, DeclarationFact
from contracts.values import Payload
from gateway.domain.outcome import SHOWN, Step
from gateway.outcomes.partner_events import NOTED, EventOutcomes, keep

_PREFIX, _SUFFIX = "trade.declarations.declaration.", ".v1"

SHOWN_EVENTS: Mapping[str, type[Payload]] = {
    type_: payload for type_, payload in EVENTS.items() if type_.removeprefix(_PREFIX).removesuffix(_SUFFIX) in SHOWN
}
"""Types of the facts that a firm is shown."""

CONSUMED: Mapping[str, type[Payload]] = {**SHOWN_EVENTS, **NOTED}
"""Those, and what partners are told of their events."""


class Outcomes(Protocol):
    async def note(self, steps: Sequence[tuple[str, Step]]) -> None:
        """Add steps to declarations by id; harmless to repeat."""
        ...

    async def steps(self, declaration_id: str) -> list[Step]: ...


class OutcomeHandler:
    """Adds every fact to the declaration that it is about, and what is noted of a partner's event to its receipt."""

    def __init__(self, outcomes: Outcomes, event_outcomes: EventOutcomes) -> None:
        self._outcomes = outcomes
        self._event_outcomes = event_outcomes

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        return [[event.envelope.subject] for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        noted = [each for each in deliveries if each.event.envelope.type in NOTED]
        steps = [(each.target, to_step(each.event)) for each in deliveries if each.event.envelope.type not in NOTED]
        if steps:
            await self._outcomes.note(steps)
        if noted:
            await keep(self._event_outcomes, [each.event for each in noted])
        return [Applied(None, ()) for _ in deliveries]


def to_step(event: Event) -> Step:
    """What an event tells, as far as a firm is shown it."""
    fact = event.envelope.type.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    fields = _fact(event).model_dump(mode="json", exclude_none=True)
    return Step(
        event=event.envelope.id,
        sequence=event.envelope.sequence,
        fact=fact,
        at=event.envelope.time.isoformat(),
        receipt=fields.get("receipt_id", ""),
        details={name: fields[name] for name in SHOWN[fact] if name in fields},
    )


def _fact(event: Event) -> DeclarationFact:
    assert isinstance(event.payload, DeclarationFact)  # noqa: S101 - what the subscription asks for
    return event.payload
