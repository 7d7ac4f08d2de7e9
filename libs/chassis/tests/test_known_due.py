"""Remembered due attempts need no query; no route and no backlog displaces another."""

from datetime import UTC, datetime, timedelta

from chassis.waiting.known_due import IN_TOTAL, PER_ROUTE, Due, KnownDue

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def known(*waiting: tuple[str, str, int]) -> KnownDue:
    """Each an id, a route, and in how many seconds it is due."""
    due = KnownDue()
    for id_, route, seconds in waiting:
        due.add(Due(NOW + timedelta(seconds=seconds), id_, route))
    return due


def ids(taken: list[Due]) -> list[str]:
    return [due.id for due in taken]


def test_the_longest_waiting_is_taken_first_and_each_once() -> None:
    due = known(("b", "r", -1), ("a", "r", -2), ("later", "r", 1))
    assert ids(due.take(NOW, 10, lambda _: 10)) == ["a", "b"]
    assert due.take(NOW, 10, lambda _: 10) == []
    assert ids(due.take(NOW + timedelta(seconds=1), 10, lambda _: 10)) == ["later"]


def test_a_route_without_room_holds_up_no_other() -> None:
    due = known(("slow", "full", -9), ("quick", "free", -1))
    assert ids(due.take(NOW, 10, lambda route: 0 if route == "full" else 1)) == ["quick"]


def test_no_more_are_taken_than_asked_for() -> None:
    due = known(*((f"{number}", f"{number % 3}", -number) for number in range(9)))
    assert len(due.take(NOW, 4, lambda _: 2)) == 4


def test_what_is_due_earlier_than_was_known_is_taken_then_and_once() -> None:
    due = known(("a", "r", 3600), ("a", "r", 0), ("a", "r", 60))
    assert ids(due.take(NOW, 10, lambda _: 10)) == ["a"]
    assert due.take(NOW + timedelta(hours=2), 10, lambda _: 10) == []


def test_what_was_taken_can_be_known_again() -> None:
    due = known(("a", "r", 0))
    for _ in range(2):
        taken = due.take(NOW, 10, lambda _: 10)
        assert ids(taken) == ["a"]
        due.add(taken[0])


def overfull() -> KnownDue:
    due = KnownDue()
    due.scanned((), more=False)
    for number in range(PER_ROUTE + 1):
        due.add(Due(NOW, f"{number}", "dead"))
    return due


def test_a_route_fills_its_own_room_alone() -> None:
    due = overfull()
    due.add(Due(NOW, "another's", "alive"))
    assert due.full_routes == ["dead"]
    assert ids(due.take(NOW, 1, lambda route: int(route == "alive"))) == ["another's"]


def test_a_look_is_worth_it_where_there_is_room_for_what_is_not_known() -> None:
    assert KnownDue().worth_a_look
    due = overfull()
    assert not due.worth_a_look  # there are more, and no room for them
    due.take(NOW, PER_ROUTE // 2, lambda _: PER_ROUTE)
    assert due.worth_a_look
    due.scanned((), more=False)
    assert not due.worth_a_look  # all of them are known now


def test_a_route_that_was_left_out_of_a_look_is_looked_for_again() -> None:
    due = overfull()
    due.take(NOW, PER_ROUTE // 2, lambda _: PER_ROUTE)  # while the look is under way
    due.scanned(["dead"], more=False)
    assert due.worth_a_look


def test_all_routes_together_are_bounded() -> None:
    due = KnownDue()
    due.scanned((), more=False)
    for number in range(IN_TOTAL + 1):
        due.add(Due(NOW, f"{number}", f"{number}"))
    assert not due.worth_a_look
    assert len(due.take(NOW, 2 * IN_TOTAL, lambda _: 1)) == IN_TOTAL
    assert due.worth_a_look
