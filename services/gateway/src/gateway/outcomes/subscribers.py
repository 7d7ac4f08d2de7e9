"""Subscriber to the events of declarations; updates the outcomes of submissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.aggregates import Applied, Outcome
from chassis.delivery import Delivery, Event
from contracts.values import Payload
from gateway.outcomes.declarations import SHOWN_EVENTS, Outcomes, to_step
from gateway.outcomes.partner_events import NOTED, EventOutcomes, keep

CONSUMED: Mapping[str, type[Payload]] = {**SHOWN_EVENTS, **NOTED}
"""Facts shown to firms, and notes and shares of partners' events."""


class OutcomeHandler:
    """Adds each fact to its declaration, and each note of a partner's event to the event's receipt."""

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
