"""One poll takes partitions in turn and records in order, and loses none."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError
from hypothesis import given
from hypothesis import strategies as st

from chassis.consuming.reader import Reader


class Fetched(Reader):
    """A reader whose fetched records the test sets; a negative number is an unreadable partition."""

    def __init__(self, waiting: Mapping[int, int]) -> None:
        self._on_poll = None
        self._failed = None
        self._polls = 0
        self._given_at = {}
        self._fetcher = SimpleNamespace(_records={_of(number): list(range(size)) for number, size in waiting.items()})
        self._bad = {_of(number) for number, size in waiting.items() if size < 0}

    async def _take(self, partition: TopicPartition, size: int, *, nothing_yet: bool) -> list[Any]:
        if partition in self._bad:
            del self._fetcher._records[partition]
            self._bad.remove(partition)
            error = CorruptRecordException()
            if nothing_yet:
                raise error
            self._failed = error
            return []
        records = self._fetcher._records.get(partition, [])
        taken: list[Any] = records[:size]
        del records[:size]
        if not records:
            self._fetcher._records.pop(partition, None)
        return taken


def _of(number: int) -> TopicPartition:
    return TopicPartition("t", number)


@given(st.dictionaries(st.integers(0, 20), st.integers(1, 300), min_size=1), st.integers(1, 200))
async def test_a_poll_is_full_and_of_few_partitions(waiting: dict[int, int], most: int) -> None:
    found = await Fetched(waiting).getmany(max_records=most)
    assert sum(map(len, found.values())) == min(most, sum(waiting.values()))
    for taken in found.values():
        assert taken == list(range(len(taken)))
    cut = [each for each, taken in found.items() if len(taken) < waiting[each.partition]]
    assert len(cut) <= 1, "of all but the last everything is taken"


@given(
    st.dictionaries(st.integers(0, 8), st.integers(1, 300), min_size=1),
    st.integers(1, 50),
    st.lists(st.lists(st.integers(0, 8), max_size=3), max_size=20),
)
async def test_no_partition_waits_for_more_polls_than_there_are_others(
    waiting: dict[int, int], most: int, fetched: list[list[int]]
) -> None:
    reader = Fetched(waiting)
    polls: dict[TopicPartition, int] = {}
    while reader._fetcher._records:
        found = await reader.getmany(max_records=most)
        polls = {each: polls.get(each, 0) + 1 for each in reader._fetcher._records if each not in found}
        assert all(waited < 9 for waited in polls.values())
        for number in fetched.pop() if fetched else ():
            reader._fetcher._records.setdefault(_of(number), []).extend(range(60))


@given(st.dictionaries(st.integers(0, 20), st.integers(-1, 30), min_size=1), st.integers(1, 50))
async def test_what_was_taken_comes_before_the_failure_of_another(waiting: dict[int, int], most: int) -> None:
    reader = Fetched({number: size for number, size in waiting.items() if size})
    read: dict[TopicPartition, list[int]] = {}
    while reader._fetcher._records or reader._failed:
        try:
            found = await reader.getmany(timeout_ms=0, max_records=most)
        except KafkaError:
            continue
        for partition, records in found.items():
            read.setdefault(partition, []).extend(records)
    assert read == {_of(number): list(range(size)) for number, size in waiting.items() if size > 0}


async def test_with_more_partitions_than_a_poll_may_have_each_has_its_turn() -> None:
    reader = Fetched(dict.fromkeys(range(10), 1_000))
    polls = [await reader.getmany(max_records=2) for _ in range(10)]
    assert {partition for found in polls for partition in found} == {_of(number) for number in range(10)}


@pytest.mark.parametrize("asked", ["read_uncommitted", "read_committed"])
async def test_whatever_is_asked_for_only_committed_records_are_read(asked: str) -> None:
    reader = Reader("t", isolation_level=asked)
    assert reader._isolation_level == "read_committed"
