"""Caches aggregates that were just saved, so that a consumer's next input for one needs no load.

Keeps: a cached aggregate equals the stored one, or the save detects the difference. One without unacknowledged events
is idle, and is dropped.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from chassis.aggregates.change import Change, settle
from chassis.aggregates.document import Loaded

S = TypeVar("S")

MAX_RECENT = 500
MAX_RECENT_LINES = 50
"""Limits of the cache: the number of aggregates, and the history lines of each."""


class Recent(Generic[S]):
    """The last aggregates of one type that this process saved."""

    def __init__(self) -> None:
        self.kept: dict[str, Loaded[S]] = {}
        """Each is used once."""

    def take(self, targets: Iterable[str]) -> dict[str, Loaded[S]]:
        """Remove and return the cached ones among the targets."""
        return {target: loaded for target in targets if (loaded := self.kept.pop(target, None)) is not None}

    def remember(self, loaded: Loaded[S], change: Change) -> None:
        """Cache a saved aggregate, if it has events still to be published."""
        if change.outbox and loaded.length < MAX_RECENT_LINES and settle(loaded, change):
            self.kept[loaded.id] = loaded
            if len(self.kept) > MAX_RECENT:
                del self.kept[next(iter(self.kept))]

    def forget(self, id_: str) -> None:
        """Drop an aggregate, whose stored form differs or may differ."""
        self.kept.pop(id_, None)
