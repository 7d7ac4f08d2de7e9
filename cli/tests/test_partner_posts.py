"""A partner's events are sent by one sender: singly while the door is fast, in batches while it is slow."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from trade_cli.partner_posts import LARGEST_BATCH, PartnerPosts
from trade_cli.platform import CliError


class SlowDoors:
    """Accepts a batch when the test allows it; refuses events that ask for it."""

    def __init__(self) -> None:
        self.posts: list[list[str]] = []
        self.open = asyncio.Event()
        self.away = False

    async def tell_all(self, _key: str, events: Sequence[Mapping[str, Any]]) -> list[str | None]:
        self.posts.append([event["id"] for event in events])
        await self.open.wait()
        if self.away:
            raise CliError("the gateway does not answer")
        return ["refused" if event["id"].startswith("bad") else None for event in events]


@pytest.fixture
def doors() -> SlowDoors:
    return SlowDoors()


@pytest.fixture
def posts(doors: SlowDoors) -> PartnerPosts:
    return PartnerPosts(doors)  # type: ignore[arg-type]  # its one method is enough


async def told(posts: PartnerPosts, *ids: str, key: str = "port") -> list[asyncio.Task[None]]:
    telling = [asyncio.create_task(posts.tell(key, {"id": id_})) for id_ in ids]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return telling


async def test_what_comes_while_a_post_is_under_way_goes_together_with_the_next(
    posts: PartnerPosts, doors: SlowDoors
) -> None:
    first = await told(posts, "a")
    more = await told(posts, "b", "c")
    other = await told(posts, "x", key="bank")
    doors.open.set()
    await asyncio.gather(*first, *more, *other)
    assert doors.posts == [["a"], ["x"], ["b", "c"]]


async def test_no_batch_is_larger_than_the_door_takes(posts: PartnerPosts, doors: SlowDoors) -> None:
    first = await told(posts, "a")
    more = await told(posts, *(str(number) for number in range(LARGEST_BATCH + 1)))
    doors.open.set()
    await asyncio.gather(*first, *more)
    assert [len(post) for post in doors.posts] == [1, LARGEST_BATCH, 1]


async def test_each_event_hears_what_became_of_itself(posts: PartnerPosts, doors: SlowDoors) -> None:
    doors.open.set()
    await asyncio.gather(*await told(posts, "warm"))
    good, bad = await told(posts, "good", "bad")
    await good
    with pytest.raises(CliError, match="refused"):
        await bad


async def test_a_door_that_stays_shut_is_told_to_all_of_the_batch(posts: PartnerPosts, doors: SlowDoors) -> None:
    doors.away = True
    doors.open.set()
    for each in await told(posts, "a", "b"):
        with pytest.raises(CliError, match="does not answer"):
            await each


async def test_one_that_is_given_up_leaves_the_others(posts: PartnerPosts, doors: SlowDoors) -> None:
    gone, stays = await told(posts, "a", "b")
    gone.cancel()
    doors.open.set()
    await stays
    assert gone.cancelled()
