"""A few hundred seeds on every run of the tests: the whole core keeps its promises, and the judge sees a broken one."""

import pytest
from chaos.judging.verdicts import Verdict, demanded, faults_of, total
from chaos.simulation.plants import PLANTS, planted
from chaos.simulation.scenario import play
from chaos.toy.judging import exercised
from chaos.toy.oracle import Oracle, Order, Way

pytestmark = pytest.mark.serverless

SEEDS = 150
PART = 25
SEEN_WITHIN = 60
"""Seeds within which a planted fault must show."""


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_the_core_keeps_every_promise(first: int) -> None:
    outcomes = [play(seed) for seed in range(first, first + PART)]
    assert {each.seed: faults_of(each.verdicts) for each in outcomes if each.red} == {}
    assert {each.number for each in total(each.verdicts for each in outcomes) if each.looked_at} == set(range(1, 11))


@pytest.mark.parametrize("seed", [3, 17])
def test_a_seed_repeats_itself_message_for_message(seed: int) -> None:
    assert play(seed) == play(seed)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_seen(name: str) -> None:
    red = set[int]()
    with planted(name):
        for seed in range(SEEN_WITHIN):
            red |= play(seed).red
            if PLANTS[name].expected <= red:
                return
    raise AssertionError(
        f"{name}: in {SEEN_WITHIN} seeds only {sorted(red)} of {sorted(PLANTS[name].expected)} went red"
    )


def test_looking_at_nothing_is_a_fault_where_the_load_exercises_it() -> None:
    assert demanded([Verdict(6, 0)], {6}) == [Verdict(6, 0, ("6: nothing was looked at",))]
    assert demanded([], {6}) == [Verdict(6, 0, ("6: nothing was looked at",))]
    assert demanded([Verdict(6, 0)], set()) == []


def test_what_a_load_exercises_follows_from_what_was_given() -> None:
    def oracle(**features: object) -> Oracle:
        given = {"counters": ("c1",), "amount": 5, "key": "K", **features}
        order = Order("order-1/0.1", "1", **given)  # type: ignore[arg-type]
        return Oracle(orders={order.id: order}, acknowledged={order.id})

    assert exercised(Oracle()) == set()
    assert exercised(oracle()) == {2, 3, 5, 7, 9, 10}
    assert exercised(oracle(amount=-5)) == {3, 4, 7, 10}
    assert exercised(oracle(way=Way.DOOR)) >= {1}
    assert exercised(oracle(send=True)) >= {6}
    assert exercised(oracle(pay_within=1.0)) >= {8}
