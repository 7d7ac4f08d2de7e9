"""Discarding parked deliveries: each stays in the audit and leaves a line in its aggregate's history."""

from typing import Any, Protocol

import structlog

from chassis.aggregates import GivenUp, Input
from chassis.delivery.breaker import Breaker
from chassis.delivery.queue import QueueStore, release_empty
from chassis.delivery.records import Event, classify
from chassis.delivery.slips import record_of
from chassis.delivery.subscriptions import Delivery, OfAggregates, Routes, to_input
from chassis.failures import is_infrastructure
from chassis.parking import AuditLine, PageMark, ParkedDelivery

_PAGE = 100

log = structlog.get_logger(__name__)


class GivingUpStore(QueueStore, Protocol):
    """The store operations needed to discard deliveries."""

    async def show(self, delivery_id: str) -> ParkedDelivery | None: ...

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        """Remove one delivery, with an audit line."""
        ...

    async def discarded(self, after: PageMark | None, limit: int) -> list[AuditLine]:
        """The audit lines of discarded deliveries after `after`, oldest first."""
        ...


class GivingUp:
    """Discards what one service has parked."""

    def __init__(self, routes: Routes, parking: GivingUpStore, breaker: Breaker) -> None:
        self._routes = routes
        self._parking = parking
        self._breaker = breaker

    async def discard(self, delivery_id: str, *, actor: str, reason: str) -> bool:
        """Discard one delivery, with an audit line and a history line; false if there is none.

        Deliveries that wait behind it stay parked until they are redriven.
        """
        parked = await self._parking.show(delivery_id)
        if parked is None:
            return False
        await self._note_given_up(parked, actor, reason)
        await self._parking.remove(delivery_id, action="discarded", actor=actor, reason=reason, outcome="discarded")
        await release_empty(self._parking, parked.target)
        await self._breaker.taken_out()
        return True

    async def restore_given_up(self) -> int:
        """Write the history lines of all discarded deliveries in the audit again; idempotent."""
        restored, mark = 0, None
        while page := await self._parking.discarded(mark, _PAGE):
            for line in page:
                if line.delivery is not None:
                    restored += await self._note_given_up(line.delivery, line.by, line.why)
            mark = page[-1].mark
        return restored

    async def _note_given_up(self, parked: ParkedDelivery, actor: str, why: str) -> bool:
        """Write the aggregate's history line, if there is an aggregate; from then on the input is a duplicate."""
        record = record_of(parked)
        event = classify(record, self._routes.types(record.topic))
        if parked.target == record.key_lock or not isinstance(event, Event):
            return False
        handler = self._routes.handler(event)
        if not isinstance(handler, OfAggregates):
            return False
        try:
            aggregates = handler.aggregates_of(parked.target)
            await aggregates.apply_one(_to_given_up(Delivery(event, parked.target), actor, why))
        except Exception as error:
            if is_infrastructure(error):
                raise
            log.error("given_up_not_noted", target=parked.target, position=str(parked.position), error=repr(error))
            return False
        return True


def _to_given_up(delivery: Delivery, actor: str, why: str) -> Input[Any]:
    """The input that records a discarded delivery in the history; nothing is decided."""
    return to_input(delivery, GivenUp(why))._replace(actor=actor, span=f"discard {delivery.event.record.topic}")
