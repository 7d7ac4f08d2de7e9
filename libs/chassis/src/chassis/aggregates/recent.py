"""Aggregates as they were just saved: a consumer's next input of one needs no load.

Keeps: what is remembered is what a load would bring, or the save finds out; what has no events on their way is quiet,
and is forgotten.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from chassis.aggregates.change import Change, settle
from chassis.aggregates.document import Loaded

S = TypeVar("S")

MAX_RECENT = 500
MAX_RECENT_LINES = 50
"""So many aggregates are remembered as they were saved, none with a longer history."""


class Recent(Generic[S]):
    """The last aggregates of one type that this process saved."""

    def __init__(self) -> None:
        self.kept: dict[str, Loaded[S]] = {}
        """Each for one next use."""

    def take(self, targets: Iterable[str]) -> dict[str, Loaded[S]]:
        """Those of the targets that are remembered; they are remembered no longer."""
        return {target: loaded for target in targets if (loaded := self.kept.pop(target, None)) is not None}

    def remember(self, loaded: Loaded[S], change: Change) -> None:
        """Keep what was saved for a next input, where something of it is still to be published."""
        if change.outbox and loaded.length < MAX_RECENT_LINES and settle(loaded, change):
            self.kept[loaded.id] = loaded
            if len(self.kept) > MAX_RECENT:
                del self.kept[next(iter(self.kept))]

    def forget(self, id_: str) -> None:
        """What is stored differs from what is remembered, or may."""
        self.kept.pop(id_, None)
