"""A process does not reload what it just saved, and never overwrites a concurrent change."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest
from tallies import TALLY, TOPIC, add

from chassis.aggregates import Aggregates, Applied, Duplicate, Failed, Input, recent
from chassis.aggregates.document import Document, Loaded, read
from chassis.clock import SystemClock
from chassis.testing import MemoryDocuments, RecordingOutbox


class Counting(MemoryDocuments):
    """Records the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[list[str]] = []

    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        self.loads.append(sorted(ids))
        return await super().load(ids)


class World:
    """Two processes on one store."""

    def __init__(self) -> None:
        self.documents = Counting()
        self.here, self.there = (
            Aggregates(TALLY, self.documents, RecordingOutbox(), SystemClock(), topic=TOPIC.name) for _ in range(2)
        )

    async def consumed(self, *inputs: Input[Any]) -> list[Any]:
        return await self.here.apply(inputs, recent=True)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_next_input_of_what_was_just_saved_needs_no_load(world: World) -> None:
    await world.consumed(add("A", "c-1"), add("B", "c-2"))
    await world.consumed(add("A", "c-3"), add("C", "c-4"))
    await world.consumed(add("A", "c-5"))
    assert world.documents.loads == [["A", "B"], ["C"]]
    assert [line["cause"] for line in world.documents.stored["A"]["history"]] == ["c-1", "c-3", "c-5"]
    assert [entry["seq"] for entry in world.documents.stored["A"]["outbox"]] == [1, 2, 3]


async def test_what_is_remembered_is_what_a_load_would_bring(world: World) -> None:
    await world.consumed(add("A", "c-1"))
    for number in range(2, 5):
        await world.consumed(add("A", f"c-{number}", number))
        loaded = read(TALLY, "A", (await world.documents.load(["A"]))["A"])
        remembered: Loaded[Any] = world.here._recent.kept["A"]
        for field in fields(Loaded):
            if field.name != "history":  # only its length is
                assert getattr(remembered, field.name) == getattr(loaded, field.name), field.name


async def test_who_was_faster_is_found_by_the_save(world: World) -> None:
    await world.consumed(add("A", "c-1", 1))
    await world.there.apply([add("A", "c-2", 2)])
    (outcome,) = await world.consumed(add("A", "c-3", 4))
    assert isinstance(outcome, Applied)
    assert outcome.state is not None
    assert outcome.state.total == 7


async def test_an_input_that_somebody_else_applied_meanwhile_is_a_duplicate(world: World) -> None:
    await world.consumed(add("A", "c-1"))
    await world.there.apply([add("A", "c-2")])
    assert isinstance((await world.consumed(add("A", "c-2")))[0], Duplicate)
    assert world.documents.stored["A"]["version"] == 2


async def test_what_fails_on_what_is_remembered_is_decided_on_what_is_stored(world: World) -> None:
    await world.consumed(add("A", "c-1", 1))
    refused = add("A", "c-2", -1)
    (outcome,) = await world.consumed(refused)
    assert isinstance(outcome, Failed)
    assert world.documents.loads == [["A"], ["A"]]


async def test_what_is_quiet_is_loaded_again(world: World) -> None:
    await world.consumed(add("A", "c-1"))
    await world.here.trim({"A": 1})
    await world.consumed(add("A", "c-2"))
    assert world.documents.loads == [["A"], ["A"]]
    assert [entry["seq"] for entry in world.documents.stored["A"]["outbox"]] == [2]


async def test_what_a_newer_release_wrote_stays(world: World) -> None:
    await world.consumed(add("A", "c-1"))
    document = world.documents.stored["A"]
    document["state"]["newer"] = "kept"
    document["version"] += 1
    await world.consumed(add("A", "c-2"))
    await world.consumed(add("A", "c-3"))
    assert world.documents.stored["A"]["state"]["newer"] == "kept"
    assert world.documents.stored["A"]["state"]["total"] == 3


async def test_no_more_are_remembered_than_there_is_room_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MAX_RECENT", 2)
    monkeypatch.setattr(recent, "MAX_RECENT_LINES", 2)
    await world.consumed(*(add(id_, f"c-{id_}") for id_ in "ABC"))
    assert list(world.here._recent.kept) == ["B", "C"]
    for number in range(3):
        await world.consumed(add("C", f"d-{number}"))
    assert list(world.here._recent.kept) == ["B"], "a long one is loaded"


async def test_who_never_looks_leaves_nothing_to_remember_and_nothing_old(world: World) -> None:
    await world.here.apply([add("A", "c-1")])
    assert not world.here._recent.kept
    await world.consumed(add("A", "c-2"))
    await world.here.apply([add("A", "c-3")])
    assert not world.here._recent.kept, "it is behind what the door has saved"


async def test_a_door_sees_what_is_stored(world: World) -> None:
    await world.consumed(add("A", "c-1"))
    await world.there.apply([add("A", "c-2")])
    (outcome,) = await world.here.apply([add("A", "c-1")])
    assert isinstance(outcome, Duplicate)
    assert outcome.state is not None
    assert outcome.state.total == 2
