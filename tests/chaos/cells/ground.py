"""What `make crash` is made of: cells, each one fault on one stage, run side by side and judged by the checker."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.judging.verdicts import Verdict
from chaos.toy.stage import Servers

from launcher.infrastructure import Infrastructure

__all__ = ["Cell", "Ground", "Verdict"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a cell is given to stand on."""

    infrastructure: Infrastructure
    """The broker and the database: shared with other cells unless the cell asked for its own."""
    folder: Path
    """Empty, and the cell's alone."""
    name: str
    """Unique in this run: letters and digits, for topics, databases and groups."""
    seed: int

    @property
    def servers(self) -> Servers:
        return Servers(self.infrastructure.bootstrap_servers, self.infrastructure.mongo_url)


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault, tried once."""

    group: str
    """`fail points`, `links`, `servers`, `deliveries` …"""
    name: str
    run: Callable[[Ground], Awaitable[Sequence[Verdict]]]
    """Raises AssertionError where the fault did not happen or the end is not what it must be."""
    own_servers: bool = False
    """It kills or bends the servers: it gets a broker and a database of its own."""
    limit_seconds: float = 240.0
    """After which it counts as hung."""
    in_samples: bool = True
    """False where it takes minutes."""
    in_tests: bool = False
    """One of the few that `make test` runs too."""
