"""One document that cannot be read, built or stored parks only its own input."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tallies import MOMENT, TALLY, TOPIC, Add, Tally, add, decide

from chassis.aggregates import Applied, Blocked, Duplicate, Failed
from chassis.aggregates.change import Change
from chassis.aggregates.model import DocumentTooLarge
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, MemoryDocuments, MemoryParking, in_memory
from chassis.waiting.pending import PendingWork

TOO_MUCH = 1000


class SmallDocuments(MemoryDocuments):
    """A store that refuses a batch with a too large tally, as the real one does."""

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        for change in changes:
            if change.fields is not None and change.fields["total"] > TOO_MUCH:
                raise DocumentTooLarge(change.id)
        return await super().save(changes, token)


async def test_the_input_that_makes_a_document_too_large_fails_alone() -> None:
    tallies, _ = in_memory(TALLY, topic=TOPIC, documents=SmallDocuments())
    await tallies.apply_one(add("T-1", "c-0"))
    outcomes = await tallies.apply(
        [
            add("T-1", "c-0"),
            add("T-1", "c-1", 2),
            add("T-2", "c-2", 3),
            add("T-1", "c-3", TOO_MUCH),
            add("T-1", "c-4", 4),
        ]
    )
    assert [type(each) for each in outcomes] == [Duplicate, Applied, Applied, Failed, Blocked]
    assert await tallies.get("T-1") == Tally(3, (1, 2))
    assert await tallies.get("T-2") == Tally(3, (3,))


class BrokenDriver(MemoryDocuments):
    """A store whose driver fails a number of times, as it does while connections are lost."""

    def __init__(self, reads: int, writes: int) -> None:
        super().__init__()
        self.reads, self.writes = reads, writes

    async def load(self, ids: Sequence[str]) -> dict[str, Any]:
        self.reads -= 1
        if self.reads >= 0:
            raise AttributeError("'NoneType' object has no attribute 'conn'")
        return await super().load(ids)

    async def save(self, changes: Sequence[Change], token: str) -> set[str]:
        self.writes -= 1
        if self.writes >= 0:
            raise TypeError("a bytes-like object is required, not 'NoneType'")
        return await super().save(changes, token)


@pytest.mark.parametrize(("reads", "writes"), [(1, 0), (0, 1)])
async def test_a_driver_that_breaks_parks_nothing_and_the_same_inputs_are_applied_later(
    reads: int, writes: int
) -> None:
    tallies, _ = in_memory(TALLY, topic=TOPIC, documents=BrokenDriver(reads, writes))
    inputs = [add("T-1", "c-1"), add("T-2", "c-2")]
    with pytest.raises(InfrastructureError):
        await tallies.apply(inputs)
    assert [type(each) for each in await tallies.apply(inputs)] == [Applied, Applied]


def no_key(state: Tally) -> str:
    if state.total < 0:
        raise LookupError("no key")
    return "key"


async def test_a_document_that_cannot_be_built_fails_alone() -> None:
    broken = replace(TALLY, key=no_key, decide=lambda state, command, now: decide(state, Add(1), now), evolve=_negative)
    tallies, _ = in_memory(broken, topic=TOPIC)
    outcomes = await tallies.apply([add("T-1", "c-1"), add("bad", "c-2")])
    assert [type(each) for each in outcomes] == [Applied, Applied]
    outcomes = await tallies.apply([add("T-1", "c-3"), add("T-2", "c-4")])
    assert [type(each) for each in outcomes] == [Failed, Applied]


def _negative(state: Tally | None, event: Any) -> Tally:
    """The second event of a tally leaves it without a key."""
    return Tally(-1 if state else 1)


async def test_a_stored_state_that_cannot_be_read_fails_alone() -> None:
    documents = MemoryDocuments()
    tallies, _ = in_memory(TALLY, topic=TOPIC, documents=documents)
    await tallies.apply([add("T-1", "c-1"), add("T-2", "c-2")])
    documents.stored["T-1"]["state"]["total"] = "many"
    outcomes = await tallies.apply([add("T-1", "c-3"), add("T-2", "c-4")])
    assert [type(each) for each in outcomes] == [Failed, Applied]


@pytest.mark.parametrize("beside", [0, 1])
async def test_pending_work_parks_a_state_that_cannot_be_read(beside: int) -> None:
    clock = ManualClock(MOMENT)
    documents = MemoryDocuments()
    tallies, _ = in_memory(TALLY, topic=TOPIC, documents=documents, clock=clock)
    await tallies.apply([add(f"T-{number}", f"c-{number}", waiting=MOMENT) for number in range(1 + beside)])
    documents.stored["T-0"]["state"]["total"] = "many"
    parked: list[str] = []

    async def park(target: str, step: str, error: Exception) -> None:
        parked.append(target)

    async def work(states: Sequence[Tally]) -> list[None]:
        return [None for _ in states]

    pending = PendingWork(tallies, work, parking=MemoryParking(clock), park_step=park, clock=clock)
    await pending.step()
    assert parked == ["T-0"]


@pytest.mark.parametrize("amount", [0, 1])
async def test_pending_work_that_brings_nothing_forward_rests_before_it_asks_again(amount: int) -> None:
    clock = ManualClock(MOMENT)
    tallies, _ = in_memory(replace(TALLY, try_after=lambda _: MOMENT), topic=TOPIC, clock=clock)
    await tallies.apply_one(add("T-1", "c-1"))

    async def work(states: Sequence[Tally]) -> list[Any]:
        return [add("T-1", "always-the-same", amount) for _ in states]

    async def park(target: str, step: str, error: Exception) -> None: ...

    pending = PendingWork(tallies, work, parking=MemoryParking(clock), park_step=park, clock=clock)
    await pending.step()
    assert not await pending.step(), "a loop without a pause"
