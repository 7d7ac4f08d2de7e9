"""What is known to be due is taken without asking; no route and no backlog takes the place of another."""

from datetime import UTC, datetime, timedelta

from chassis.waiting.alarm import SELDOM_SECONDS
from notifications import due_mails
from notifications.domain.notice import Channel
from notifications.due_mails import OF_A_ROUTE, DueMails
from notifications.mail_worker import LOOK_LIMIT
from notifications.testing import Collecting, Desk, an_intent

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def known(*mails: tuple[str, str, int]) -> DueMails:
    """Each an id, a route, and in how many seconds it is due."""
    due = DueMails()
    for id_, route, seconds in mails:
        due.add(id_, route, NOW + timedelta(seconds=seconds))
    return due


def test_the_longest_waiting_is_taken_first_and_each_once() -> None:
    due = known(("b", "r", -1), ("a", "r", -2), ("later", "r", 1))
    assert due.take(NOW, 10, lambda _: 10) == ["a", "b"]
    assert due.take(NOW, 10, lambda _: 10) == []
    assert due.take(NOW + timedelta(seconds=1), 10, lambda _: 10) == ["later"]


def test_a_route_without_room_holds_up_no_other() -> None:
    due = known(("slow", "full", -9), ("quick", "free", -1))
    assert due.take(NOW, 10, lambda route: 0 if route == "full" else 1) == ["quick"]


def test_no_more_are_taken_than_asked_for() -> None:
    due = known(*((f"{number}", f"{number % 3}", -number) for number in range(9)))
    assert len(due.take(NOW, 4, lambda _: 2)) == 4


def overfull() -> DueMails:
    due = DueMails()
    due.looked((), more=False)
    for number in range(OF_A_ROUTE + 1):
        due.add(f"{number}", "dead", NOW)
    return due


def test_a_route_fills_its_own_room_alone() -> None:
    due = overfull()
    due.add("another's", "alive", NOW)
    assert due.full_routes == ["dead"]
    assert due.take(NOW, 1, lambda route: int(route == "alive")) == ["another's"]


def test_a_look_is_worth_it_where_there_is_room_for_what_is_not_known() -> None:
    assert DueMails().worth_a_look
    due = overfull()
    assert not due.worth_a_look  # there are more, and no room for them
    due.take(NOW, OF_A_ROUTE // 2, lambda _: OF_A_ROUTE)
    assert due.worth_a_look
    due.looked((), more=False)
    assert not due.worth_a_look  # all of them are known now


def test_a_route_that_was_left_out_of_a_look_is_looked_for_again() -> None:
    due = overfull()
    due.take(NOW, OF_A_ROUTE // 2, lambda _: OF_A_ROUTE)  # while the look is under way
    due.looked(["dead"], more=False)
    assert due.worth_a_look


def test_all_routes_together_are_bounded() -> None:
    due = DueMails()
    due.looked((), more=False)
    for number in range(due_mails.IN_ALL + 1):
        due.add(f"{number}", f"{number}", NOW)
    assert not due.worth_a_look
    assert len(due.take(NOW, 2 * due_mails.IN_ALL, lambda _: 1)) == due_mails.IN_ALL
    assert due.worth_a_look


async def test_a_backlog_of_before_the_start_is_sent_whole(desk: Desk) -> None:
    count = LOOK_LIMIT + OF_A_ROUTE
    await desk.ready(*(an_intent(Channel.EMAIL) for _ in range(count)))
    post = Collecting()
    worker = desk.worker(post, at_once=50, at_once_per_domain=50)
    for _ in range(count):
        if not await worker.start_due():
            await desk.clock.advance(seconds=1)
        await worker.idle()
        if len(post.given) == count:
            break
    assert len({mail.message_id for mail in post.given}) == len(post.given) == count


async def test_what_another_process_left_is_found_by_a_seldom_look(desk: Desk) -> None:
    post = Collecting()
    worker = desk.worker(post)
    assert await worker.start_due() == 0
    desk.notices._listeners.clear()  # saved by somebody else, as far as this worker hears
    await desk.ready(an_intent())
    assert await worker.start_due() == 0
    await desk.clock.advance(seconds=SELDOM_SECONDS)
    assert await worker.start_due() == 1
