"""Passes events to handlers; on a failure it bisects the batch, so that only the faulty delivery fails.

Keeps: each delivery is applied, is a duplicate, or is returned to be parked; after a delivery to be parked, none for
the same target is applied. Raises only for infrastructure.
"""

from collections.abc import Sequence
from typing import Any

from chassis.aggregates import Applied, Blocked, Conflict, Duplicate, Failed, Outcome
from chassis.clock import Clock
from chassis.delivery.records import Event, RawRecord
from chassis.delivery.slips import Slips
from chassis.delivery.subscriptions import Delivery, Handler, RawHandler
from chassis.failures import is_infrastructure
from chassis.parking import ParkedDelivery
from chassis.telemetry import metrics


class Handing:
    """Passes work to the handlers of one service."""

    def __init__(self, slips: Slips, clock: Clock) -> None:
        self._slips = slips
        self._clock = clock

    async def raw(self, handler: RawHandler, records: Sequence[RawRecord]) -> list[ParkedDelivery]:
        """Apply undecoded records; return those to be parked."""
        if not records:
            return []
        try:
            await handler.apply(records)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(records) == 1:
                return [self._slips.failed(records[0], records[0].key_lock, error)]
            half = len(records) // 2
            return [*await self.raw(handler, records[:half]), *await self.raw(handler, records[half:])]
        metrics.DELIVERIES.labels("applied").inc(len(records))
        return []

    async def resolve(self, handler: Handler, events: Sequence[Event]) -> tuple[list[Delivery], list[ParkedDelivery]]:
        """The deliveries of events, and the events whose targets could not be determined."""
        if not events:
            return [], []
        try:
            targets = await handler.targets(events)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(events) == 1:
                return [], [self._slips.failed(events[0].record, events[0].record.key_lock, error, events[0])]
            half = len(events) // 2
            first, second = await self.resolve(handler, events[:half]), await self.resolve(handler, events[half:])
            # If an event is parked, later events of its key queue behind it.
            shut = {each.target for each in first[1]}
            behind = [each for each in second[0] if each.event.record.key_lock in shut]
            parked = {each.event.record.position: each.event for each in behind}
            return (
                first[0] + [each for each in second[0] if each.event.record.key_lock not in shut],
                [
                    *first[1],
                    *second[1],
                    *(self._slips.behind(each, each.record.key_lock) for each in parked.values()),
                ],
            )
        deliveries = [
            Delivery(event, target) for event, ids in zip(events, targets, strict=True) for target in dict.fromkeys(ids)
        ]
        metrics.DELIVERIES.labels("not_addressed").inc(sum(1 for ids in targets if not ids))
        return deliveries, []

    async def apply(self, handler: Handler, deliveries: Sequence[Delivery]) -> list[ParkedDelivery]:
        """Apply deliveries; return those to be parked."""
        if not deliveries:
            return []
        try:
            outcomes = await handler.apply(deliveries)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(deliveries) == 1:
                delivery = deliveries[0]
                return [self._slips.failed(delivery.event.record, delivery.target, error, delivery.event)]
            half = len(deliveries) // 2
            parked = await self.apply(handler, deliveries[:half])
            shut = {each.target for each in parked}
            for delivery in deliveries[half:]:
                if delivery.target in shut:
                    parked.append(self._slips.behind(delivery.event, delivery.target))
            return parked + await self.apply(handler, [each for each in deliveries[half:] if each.target not in shut])
        return self._judge(deliveries, outcomes)

    def _judge(self, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome[Any]]) -> list[ParkedDelivery]:
        """Count the outcomes; return the deliveries to be parked."""
        refused: list[ParkedDelivery] = []
        latencies: list[float] = []
        now = self._clock.now()
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            event = delivery.event
            match outcome:
                case Applied():
                    latencies.append(max(0.0, (now - event.envelope.time).total_seconds()))
                case Duplicate():
                    metrics.DELIVERIES.labels("duplicate").inc()
                case Conflict():
                    refused.append(self._slips.conflict(event, delivery.target))
                case Failed(error):
                    refused.append(self._slips.failed(event.record, delivery.target, error, event))
                case Blocked():
                    refused.append(self._slips.behind(event, delivery.target))
        metrics.DELIVERIES.labels("applied").inc(len(latencies))
        metrics.LATENCY_SECONDS.observe_all(latencies)
        return refused
