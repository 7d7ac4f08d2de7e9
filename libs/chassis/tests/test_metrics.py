"""Every metric moves in its scenario, and goes back when that has ended."""

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from provocations import (
    PROVOKED,
    Provocation,
    lag_of_partitions_that_were_taken_away,
    lag_with_the_broker_away,
)

from chassis.telemetry import metrics

FAMILIES = {each._name: each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)}


def test_every_metric_is_provoked() -> None:
    assert set(PROVOKED) == set(FAMILIES)


@pytest.mark.parametrize("provoke", list(dict.fromkeys(PROVOKED.values())), ids=lambda each: each.__name__)
async def test_it_moves_and_goes_back(provoke: Provocation) -> None:
    await provoke()


async def test_a_lag_that_is_not_known_grows() -> None:
    await lag_with_the_broker_away()


async def test_partitions_of_another_member_are_not_behind_here() -> None:
    await lag_of_partitions_that_were_taken_away()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_help_says_what_it_counts_and_what_to_do(name: str) -> None:
    sentences = FAMILIES[name]._documentation.rstrip(".").replace(";", ".").replace(":", ".").split(".")
    assert len(sentences) > 1


def test_a_batch_observed_at_once_counts_as_one_by_one() -> None:
    amounts = [0.0, 0.01, 0.010001, 0.3, 3600.0, 3601.0, 0.3]
    registry = CollectorRegistry()
    at_once = metrics.BatchHistogram("at_once", "…", buckets=(0.01, 0.25, 3600), registry=registry)
    one_by_one = Histogram("one_by_one", "…", buckets=(0.01, 0.25, 3600), registry=registry)
    at_once.observe_all(amounts)
    at_once.observe_all([])
    for amount in amounts:
        one_by_one.observe(amount)

    def told(name: str) -> list[str]:
        lines = generate_latest(registry).decode().splitlines()
        return [line.removeprefix(name) for line in lines if line.startswith(f"{name}_") and "_created" not in line]

    assert told("at_once") == told("one_by_one")
    assert "_count 7.0" in told("at_once")
