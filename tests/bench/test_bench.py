"""Checks that the bench produces every figure, before somebody needs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import Aim, Figure, percentile, table

TESTS = Path(__file__).parents[1]

EVERY = {
    "passages": {"Fail point that is off"},
    "core": {"Durable steps, five stages, saturated", "CPU of one step, without the servers'"},
    "stored": {f"{what} of a step by what is stored, {who}" for what in ("Time", "CPU") for who in ("core", "floor")},
    "memory": {"Memory of a service at rest", "Memory after so many shipments' first step"},
    "shipments": {
        "Shipments closed, 1 in flight",
        "Shipments closed, 3 in flight",
        "Events published",
        "From lodging to closing",
        "To acceptance at half the plateau",
        "Until nothing waits, after the load ends",
        "Database commands of one shipment",
        "Of these, by kind",
        "Database commands at rest",
        "CPU of one shipment, six services",
        "CPU of one shipment, by part",
        "Memory while shipments flow, by service",
    },
    "doors": {
        "POST to 202, one client, p99",
        "POST to first answer, one client, p50",
        "POST at saturation, 16 clients",
    },
    "start": {"Start to ready, CPU"},
    "filled": {"Shipments closed by what is stored", "Inserted to fill it"},
}
"""The figures that each group must produce at least."""


def test_every_figure_is_produced(tmp_path: Path) -> None:
    groups = [option for group in EVERY for option in ("--only", group)]
    command = [sys.executable, "-m", "bench", "--small", "--rounds", "1", "--json", "--to", str(tmp_path), *groups]
    done = subprocess.run(  # noqa: PLW1510 - the status is asserted
        command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert sorted(result["measured"]) == sorted(EVERY)
    found = {figure["name"]: figure for figure in result["figures"]}
    assert set().union(*EVERY.values()) <= set(found)
    for name, figure in found.items():
        for row, spread in figure["rows"].items():
            assert spread["samples"], f"{name}: {row}"
            assert 0 <= spread["low"] <= spread["median"] <= spread["high"], f"{name}: {row}"
    assert result["machine"]["cores"] >= 1
    assert list(tmp_path.iterdir()) == [], "tiny sizes leave no result behind"


@pytest.mark.parametrize(
    ("core", "aim", "reached"),
    [(80.0, Aim(0.8, at_least=True), True), (79.0, Aim(0.8, at_least=True), False), (160.0, Aim(1.6), True)],
)
def test_an_aim_is_judged_by_the_median_of_the_rounds_ratios(core: float, aim: Aim, reached: bool) -> None:
    rows = {"core": [10 * core, 1.0, 1e9], "floor": [1000.0, 100.0, 100.0]}  # the first round was ten times slower
    figure = Figure("x", "s", rows, ("core", "floor"), aim)
    assert figure.value == core / 100
    assert figure.reached is reached
    assert figure.as_json()["reached"] is reached


def test_a_figure_without_a_ratio_is_judged_by_its_first_row() -> None:
    assert Figure("x", "MB", {"first": [151.0], "second": [1.0]}, aim=Aim(150.0)).reached is False
    assert Figure("x", "MB", {"first": [1.0]}).reached is None


def test_another_runs_medians_are_shown_in_a_column() -> None:
    figure = Figure("x", "s", {"core": [1.0], "new": [2.0]})
    other = {"machine": {"database": "other"}, "figures": [Figure("x", "s", {"core": [4.0, 5.0, 9.0]}).as_json()]}
    assert list(table([figure], other).columns[-1].cells) == ["5", ""]


def test_a_percentile_is_a_sample() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], rank) for rank in (1, 50, 75, 99)] == [1.0, 2.0, 3.0, 4.0]
