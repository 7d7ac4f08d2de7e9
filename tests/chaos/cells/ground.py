"""The cells of `make crash`: each is one fault on one stage; they run concurrently and the checker judges them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.judging.verdicts import Verdict
from chaos.toy.stage import Servers

from launcher.infrastructure import Infrastructure

__all__ = ["Cell", "Ground", "Verdict"]


@dataclass(frozen=True, slots=True)
class Ground:
    """The resources that a cell is given."""

    infrastructure: Infrastructure
    """The broker and the database: shared with other cells unless the cell asked for its own."""
    folder: Path
    """An empty folder of the cell's own."""
    name: str
    """Unique in this run: letters and digits, for topics, databases and groups."""
    seed: int

    @property
    def servers(self) -> Servers:
        return Servers(self.infrastructure.bootstrap_servers, self.infrastructure.mongo_url)


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault, injected once."""

    group: str
    """`fail points`, `links`, `servers`, `deliveries` …"""
    name: str
    run: Callable[[Ground], Awaitable[Sequence[Verdict]]]
    """Raises AssertionError if the fault did not happen or the end state is wrong."""
    own_servers: bool = False
    """It kills or harms the servers, so it gets its own broker and database."""
    limit_seconds: float = 240.0
    """After this time it counts as hung."""
    in_samples: bool = True
    """False if it takes minutes."""
    in_tests: bool = False
    """Whether `make test` runs it too."""
