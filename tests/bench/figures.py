"""Figures: samples, comparison and aim."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Aim:
    """The target of a figure, for its ratio if it has one, else for the median of its first row."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the result, with a row per measured subject."""

    name: str
    unit: str
    rows: Mapping[str, Sequence[float]]
    """Row → its samples, one per round."""
    ratio: tuple[str, str] | None = None
    """The two rows to compare: the median of the first divided by the second in each round, so that samples of the same
    time are compared even if the machine is slower in some rounds."""
    aim: Aim | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The value that the aim applies to."""
        if self.ratio is None:
            return statistics.median(next(iter(self.rows.values())))
        measured, against = (self.rows[name] for name in self.ratio)
        ratios = [one / other if other else float("inf") for one, other in zip(measured, against, strict=True)]
        return statistics.median(ratios)

    @property
    def reached(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.value)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": self.name,
            "unit": self.unit,
            "rows": {name: _spread(samples) for name, samples in self.rows.items()},
        }
        if self.ratio is not None:
            told |= {"ratio_of": list(self.ratio), "ratio": round(self.value, 4)}
        if self.aim is not None:
            told |= {"to_reach": str(self.aim), "reached": self.reached}
        return told | ({"note": self.note} if self.note else {})


@dataclass
class Tally:
    """Collects samples of all rounds by row."""

    rows: dict[str, list[float]] = field(default_factory=dict)

    def add(self, row: str, *samples: float) -> None:
        self.rows.setdefault(row, []).extend(samples)


def percentile(samples: Sequence[float], rank: int) -> float:
    """The sample at a percentile, by the nearest-rank method."""
    ranked = sorted(samples)
    return ranked[max(0, -(-len(ranked) * rank // 100) - 1)]


def table(figures: Iterable[Figure], other: Mapping[str, Any] | None = None) -> Table:
    """The result as a table.

    Args:
        other: another run's result, whose medians are shown in an additional column.
    """
    beside = _medians(other) if other else {}
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("figure")
    shown.add_column("measured", no_wrap=True)
    for heading in ("median", "from – to", "samples", "ratio"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("to reach", no_wrap=True)
    if other:
        shown.add_column(other["machine"]["database"], justify="right", no_wrap=True)
    for figure in figures:
        rows = list(figure.rows.items())
        judged = len(rows) - 1 if figure.ratio else 0
        for place, (name, samples) in enumerate(rows):
            shown.add_row(
                f"{figure.name}, {figure.unit}" if place == 0 else "",
                name,
                _short(statistics.median(samples)),
                f"{_short(min(samples))} – {_short(max(samples))}",
                str(len(samples)),
                f"{figure.value:.2f}" if figure.ratio and place == judged else "",
                _verdict(figure) if figure.aim and place == judged else "",
                *([beside.get((figure.name, name), "")] if other else []),
            )
    return shown


def _medians(other: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(figure, row) → median of another run."""
    return {
        (figure["name"], row): _short(spread["median"])
        for figure in other["figures"]
        for row, spread in figure["rows"].items()
    }


def _verdict(figure: Figure) -> str:
    return f"{figure.aim} {'yes' if figure.reached else 'NO'}"


def _spread(samples: Sequence[float]) -> dict[str, Any]:
    ends = {"median": statistics.median(samples), "low": min(samples), "high": max(samples)}
    return {name: round(value, 6) for name, value in ends.items()} | {"samples": [round(each, 6) for each in samples]}


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
