"""How old the cached locks may be, and what refreshes them."""

from collections.abc import Iterable

import pytest

from chassis.delivery.locks import FRESH_SECONDS, Locks
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, MemoryParking


class Counted(MemoryParking):
    """Counts queries; unavailable while `away` is set."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.locks: set[str] | None = set()
        self.looks = 0
        self.away = False

    async def all_locked(self, limit: int) -> set[str] | None:
        self.looks += 1
        if self.away:
            raise InfrastructureError("away")
        return None if self.locks is None else set(self.locks)

    async def locked(self, targets: Iterable[str]) -> set[str]:
        return set(targets) & {"far"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def parking(clock: ManualClock) -> Counted:
    return Counted(clock)


async def test_a_look_serves_the_batches_of_a_moment(parking: Counted, clock: ManualClock) -> None:
    locks = Locks(parking, clock)
    for _ in range(3):
        await locks.look()
    assert parking.looks == 1
    await clock.advance(seconds=FRESH_SECONDS)
    parking.locks = {"T-1"}
    await locks.look()
    assert await locks.among({"T-1", "T-2"}) == {"T-1"}


async def test_an_assignment_makes_the_next_batch_look_anew(parking: Counted, clock: ManualClock) -> None:
    locks = Locks(parking, clock)
    await locks.look()
    parking.locks = {"T-1"}
    locks.look_anew()
    await locks.look()
    assert await locks.among({"T-1"}) == {"T-1"}


async def test_what_this_process_parked_is_locked_at_once_and_looked_at_anew(
    parking: Counted, clock: ManualClock
) -> None:
    locks = Locks(parking, clock)
    await locks.look()
    locks.took(["T-1"])
    assert await locks.among({"T-1"}) == {"T-1"}
    await locks.look()
    assert parking.looks == 2
    assert await locks.among({"T-1"}) == set()  # it is known by the look itself from now on


async def test_a_look_that_failed_is_none(parking: Counted, clock: ManualClock) -> None:
    locks = Locks(parking, clock)
    parking.away = True
    with pytest.raises(InfrastructureError):
        await locks.look()
    parking.away = False
    parking.locks = {"T-1"}
    await locks.look()
    assert await locks.among({"T-1"}) == {"T-1"}


async def test_where_more_stand_than_few_those_that_matter_are_asked_for(parking: Counted, clock: ManualClock) -> None:
    parking.locks = None
    locks = Locks(parking, clock)
    await locks.look()
    assert await locks.among({"near", "far"}) == {"far"}
