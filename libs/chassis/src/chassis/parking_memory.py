"""Parking in memory, for tests of what stands on it. Passes the contract suite of the real store."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from chassis.clock import Clock
from chassis.parking import BREAKER, PageMark, ParkedDelivery


class MemoryParking:
    """Dictionaries behind the `ParkingStore` port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._parked: dict[str, ParkedDelivery] = {}
        self._locks: dict[str, int] = {}
        self._versions = count(1)
        self.audit: list[dict[str, Any]] = []
        """What was taken out, by whom and why, oldest first."""

    async def locked(self, targets: Iterable[str]) -> set[str]:
        return set(targets) & set(self._locks)

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        for each in deliveries:
            self._parked.setdefault(each.id, replace(each, parked_at=self._clock.now()))
        for target in {each.target for each in deliveries}:
            self._locks[target] = next(self._versions)

    async def lock_version(self, target: str) -> int | None:
        return self._locks.get(target)

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        found = [each for each in self._parked.values() if each.target == target]
        found.sort(key=lambda each: (each.position.topic, each.position.partition, each.position.offset))
        return found[:limit]

    async def release(self, target: str, version: int) -> bool:
        if self._locks.get(target) != version:
            return False
        del self._locks[target]
        return True

    async def release_empty(self) -> list[str]:
        full = {each.target for each in self._parked.values()} | {BREAKER}
        return [
            target
            for target, version in list(self._locks.items())
            if target not in full and await self.release(target, version)
        ]

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        delivery = self._parked.pop(delivery_id, None)
        if delivery is not None:
            line = {"action": action, "by": actor, "why": reason, "outcome": outcome, "delivery": delivery}
            self.audit.append(line)

    async def show(self, delivery_id: str) -> ParkedDelivery | None:
        return self._parked.get(delivery_id)

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        found = sorted((each for each in self._parked.values() if target in {"", each.target}), key=_mark)
        return [each for each in found if after is None or each.mark > after][:limit]

    async def set_breaker(self, reason: str) -> None:  # noqa: ARG002 - shown by the real store only
        self._locks[BREAKER] = next(self._versions)

    async def clear_breaker(self) -> None:
        self._locks.pop(BREAKER, None)

    async def counts(self) -> tuple[int, int]:
        return len(self._parked), len(set(self._locks) - {BREAKER})


def _mark(delivery: ParkedDelivery) -> PageMark:
    return delivery.mark
