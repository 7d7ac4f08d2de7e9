"""Pauses between attempts."""

import random

from chassis.backoff import Backoff, jittered


def test_pauses_double_up_to_the_longest_and_begin_anew_once_it_worked() -> None:
    backoff = Backoff(1.0, 5.0, spread=0.0)
    assert [backoff.pause() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.pause() == 1.0


def test_who_failed_together_does_not_come_back_together() -> None:
    random.seed(1)
    pauses = [Backoff(10.0, 60.0).pause() for _ in range(200)]
    assert len(set(pauses)) == 200
    assert 5.0 <= min(pauses) < 6.0
    assert 9.0 < max(pauses) <= 10.0, "the longest is never exceeded"
    assert all(9.0 <= jittered(10.0, 0.1) <= 11.0 for _ in range(200))
