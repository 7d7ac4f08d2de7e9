"""Parking in memory, for tests. Passes the contract suite of the real store."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from chassis.clock import Clock
from chassis.parking.model import (
    BEHIND,
    BREAKER,
    AuditLine,
    OpenBreaker,
    PageMark,
    ParkedDelivery,
    ParkedTarget,
    TargetPage,
)


class MemoryParking:
    """Dictionaries behind every port of parking."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._parked: dict[str, ParkedDelivery] = {}
        self._locks: dict[str, int] = {}
        self._strays: set[str] = set()
        self._breaker: OpenBreaker | None = None
        self._versions = count(1)
        self._lines: list[AuditLine] = []

    @property
    def audit_lines(self) -> list[dict[str, Any]]:
        """All audit lines, oldest first."""
        return [
            {
                "action": each.action, "target": each.target, "by": each.by, "why": each.why, "outcome": each.outcome,
                "delivery": each.delivery,
            }
            for each in self._lines
        ]  # fmt: skip

    async def locked(self, targets: Iterable[str]) -> set[str]:
        return set(targets) & set(self._locks)

    async def all_locked(self, limit: int) -> set[str] | None:
        return None if len(self._locks) > limit else set(self._locks)

    async def park(self, deliveries: Sequence[ParkedDelivery]) -> None:
        for each in deliveries:
            self._parked.setdefault(each.id, replace(each, parked_at=self._clock.now()))
        failed = {each.target for each in deliveries if each.reason != BEHIND}
        for target in {each.target for each in deliveries}:
            if target in failed:
                self._strays.discard(target)
            elif target not in self._locks:
                self._strays.add(target)
            self._locks[target] = next(self._versions)

    async def lock_version(self, target: str) -> int | None:
        return self._locks.get(target)

    async def waiting(self, target: str, limit: int) -> list[ParkedDelivery]:
        found = [each for each in self._parked.values() if each.target == target]
        found.sort(key=lambda each: (each.position.topic, each.position.partition, each.position.offset))
        return found[:limit]

    async def count(self, target: str) -> int:
        return sum(each.target == target for each in self._parked.values())

    async def release(self, target: str, version: int) -> bool:
        if self._locks.get(target) != version:
            return False
        del self._locks[target]
        self._strays.discard(target)
        return True

    async def is_empty(self) -> bool:
        return not self._locks and not self._parked

    async def release_empty(self) -> list[str]:
        full = {each.target for each in self._parked.values()} | {BREAKER}
        return [
            target
            for target, version in list(self._locks.items())
            if target not in full and await self.release(target, version)
        ]

    async def strays(self, kept_before: datetime) -> list[str]:
        kept = {each.target for each in self._parked.values() if each.mark[0] < kept_before}
        return sorted((kept - set(self._locks)) | self._strays)

    async def failed_again(self, delivery: ParkedDelivery) -> None:
        if (known := self._parked.get(delivery.id)) is not None:
            self._parked[delivery.id] = replace(
                known,
                reason=delivery.reason,
                error=delivery.error,
                stack=delivery.stack,
                build=delivery.build,
                tried_at=self._clock.now(),
            )
        self._strays.discard(delivery.target)
        self._locks[delivery.target] = next(self._versions)

    async def remove(self, delivery_id: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        delivery = self._parked.pop(delivery_id, None)
        if delivery is not None:
            self._note(f"{delivery_id}/{action}", delivery.target, action, actor, reason, outcome, delivery)

    async def write_audit(self, target: str, *, action: str, actor: str, reason: str, outcome: str) -> None:
        self._note(f"{target}/{action}/{len(self._lines)}", target, action, actor, reason, outcome)

    def _note(
        self, id_: str, target: str, action: str, by: str, why: str, outcome: str, of: ParkedDelivery | None = None
    ) -> None:
        self._lines.append(AuditLine(id_, action, target, by, why, outcome, self._clock.now(), of))

    async def audit(self, target: str, before: PageMark | None, limit: int) -> list[AuditLine]:
        found = sorted((each for each in self._lines if target in {"", each.target}), key=_mark, reverse=True)
        return [each for each in found if before is None or each.mark < before][:limit]

    async def discarded(self, after: PageMark | None, limit: int) -> list[AuditLine]:
        found = sorted((each for each in self._lines if each.action == "discarded"), key=_mark)
        return [each for each in found if after is None or each.mark > after][:limit]

    async def show(self, delivery_id: str) -> ParkedDelivery | None:
        return self._parked.get(delivery_id)

    async def targets(self, after: str, limit: int) -> TargetPage:
        names = sorted(name for name in self._locks if name > after and name != BREAKER)[:limit]
        found = [each for name in names if (each := await self.target(name)) is not None]
        return TargetPage(found, names[-1] if len(names) == limit else "", self._breaker)

    async def target(self, target: str) -> ParkedTarget | None:
        waiting = await self.waiting(target, len(self._parked))
        if not waiting:
            return None
        return ParkedTarget(target, waiting[0], len(waiting), min(each.mark[0] for each in waiting))

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        found = sorted((each for each in self._parked.values() if target in {"", each.target}), key=_mark)
        return [each for each in found if after is None or each.mark > after][:limit]

    async def set_breaker(self, reason: str) -> None:
        self._locks[BREAKER] = next(self._versions)
        self._breaker = OpenBreaker(reason, self._clock.now())

    async def breaker(self) -> OpenBreaker | None:
        return self._breaker

    async def clear_breaker(self) -> None:
        self._locks.pop(BREAKER, None)
        self._breaker = None

    async def any_parked(self, reason: str, since: datetime) -> bool:
        return any(each.reason == reason and each.mark[0] >= since for each in self._parked.values())

    async def counts(self) -> tuple[int, int]:
        return len(self._parked), len(set(self._locks) - {BREAKER})


def _mark(each: ParkedDelivery | AuditLine) -> PageMark:
    return each.mark
