"""The gateway's view of what became of submissions, from the events of declarations."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.aggregates import Applied, Outcome
from chassis.delivery import Delivery, Event
from contracts.values import Payload
from gateway.outcomes.declarations import SHOWN_EVENTS, Outcomes, to_step
from gateway.outcomes.partner_events import NOTED, EventOutcomes, keep

CONSUMED: Mapping[str, type[Payload]] = {**SHOWN_EVENTS, **NOTED}
"""Facts that firms are shown, and what partners are told of their events."""


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
