"""Resolved offsets are committed even after failed commits; offsets of revoked partitions are not."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from chassis.consuming.commits import Commits
from chassis.delivery.records import RawRecord
from chassis.testing import eventually

PARTITION = TopicPartition("t", 0)


def upto(offset: int) -> list[RawRecord]:
    return [RawRecord("t", 0, offset, None, (), None, 0)]


class Group:
    """A consumer whose commits end as the test says."""

    def __init__(self) -> None:
        self.committed: list[int] = []
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.asked = 0

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.asked += 1
        error = await self.answers.get()
        if error is not None:
            raise error
        self.committed.append(offsets[PARTITION])

    async def until_asked(self, times: int) -> None:
        async def asked() -> bool:
            return self.asked == times

        await eventually(asked, within_seconds=5)


@pytest.fixture
def group() -> Any:
    return Group()


async def test_what_is_resolved_meanwhile_goes_with_the_commit_after_that(group: Any) -> None:
    commits = Commits()
    commits.resolved(upto(4))
    commits.commit_soon(group)
    await group.until_asked(1)
    for offset in (5, 6, 7):
        commits.resolved(upto(offset))
        commits.commit_soon(group)
    group.answers.put_nowait(None)
    await group.until_asked(2)
    group.answers.put_nowait(None)
    await commits.commit(group)
    assert group.committed == [5, 8]


async def test_a_commit_of_an_earlier_assignment_takes_nothing_of_this_one_along(group: Any) -> None:
    commits = Commits()
    commits.resolved(upto(4))
    commits.commit_soon(group)
    await group.until_asked(1)
    commits.forget()
    commits.resolved(upto(4))
    group.answers.put_nowait(CommitFailedError())
    group.answers.put_nowait(None)
    await commits.commit(group)
    assert group.committed == [5]


async def test_what_was_passed_without_a_record_is_committed_once(group: Any) -> None:
    commits = Commits()
    for _ in range(6):
        group.answers.put_nowait(None)
    commits.resolved(upto(4))
    commits.passed({PARTITION: 5})
    await commits.commit(group)
    commits.passed({PARTITION: 9})  # four of an aborted transaction
    await commits.commit(group)
    commits.passed({PARTITION: 9})
    commits.passed({PARTITION: 7})  # sought back to
    await commits.commit(group)
    assert group.committed == [5, 9]


async def test_what_went_to_another_member_is_not_committed_again(group: Any) -> None:
    commits = Commits()
    commits.resolved(upto(4))
    group.answers.put_nowait(CommitFailedError())
    await commits.commit(group)
    await commits.commit(group)
    assert (group.asked, group.committed) == (1, [])


async def test_a_broker_that_is_away_is_asked_again_by_whoever_comes_next(group: Any) -> None:
    commits = Commits()
    commits.resolved(upto(4))
    commits.commit_soon(group)
    group.answers.put_nowait(KafkaConnectionError("away"))
    await group.until_asked(1)
    group.answers.put_nowait(None)
    await commits.commit(group)
    assert group.committed == [5]
