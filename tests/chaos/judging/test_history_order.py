"""A history counts its events without gap or duplicate, and orders its lines by their first events."""

import pytest
from chaos.judging.world import Stored


def stored(*lines: list[int]) -> Stored:
    told = [{"cause": f"c{at}", "events": [f"T-1/0.{number}" for number in line]} for at, line in enumerate(lines)]
    return Stored("toy", "counters", "T-1", sum(map(len, lines)), {}, told, [])


@pytest.mark.parametrize("lines", [[], [[1], [2, 3]], [[1], [], [2]], [[1, 4], [2, 3], [5]]])
def test_it_counts_on_also_where_a_begun_line_was_completed_later(lines: list[list[int]]) -> None:
    assert stored(*lines).counts_on


@pytest.mark.parametrize("lines", [[[1], [3]], [[1], [1]], [[2], [1]], [[2, 1]], [[1, 2], [2]]])
def test_a_hole_a_double_and_an_inversion_are_seen(lines: list[list[int]]) -> None:
    assert not stored(*lines).counts_on
