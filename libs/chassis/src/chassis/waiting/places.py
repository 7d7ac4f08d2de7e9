"""Places at the other side: how many attempts are made at once, in all and by each route.

Keeps: a place is held from before the claim until the other side has answered; what is answered and not noted yet is in
hand without a place, and only so much of it, so that a database that is away fills no memory.
"""

from collections.abc import Set

MOST_IN_HAND = 10
"""So many times as many as there are places may be in hand."""


class Places:
    """The places of one process."""

    def __init__(self, in_all: int, per_route: int) -> None:
        self._in_all = in_all
        self._per_route = per_route
        self._held: dict[str, str] = {}
        """Id → route."""
        self._in_hand: set[str] = set()
        self.closed = False
        """Whether nobody gets a place any more."""

    @property
    def in_hand(self) -> Set[str]:
        """The ids of what holds a place, and of what is being noted."""
        return self._in_hand

    @property
    def free(self) -> int:
        """For how many there is room; none where too many wait to be noted."""
        noting = len(self._in_hand) >= MOST_IN_HAND * self._in_all
        return 0 if noting or self.closed else self._in_all - len(self._held)

    def room(self, route: str) -> int:
        """For how many of a route there is room, as far as there is any."""
        return self._per_route - sum(each == route for each in self._held.values())

    def take(self, id_: str, route: str) -> bool:
        """Hold a place for one that is not in hand; false where there is none."""
        if self.free <= 0 or self.room(route) <= 0 or id_ in self._in_hand:
            return False
        self.hold(id_, route)
        return True

    def hold(self, id_: str, route: str) -> None:
        """Hold a place for one that was promised room."""
        self._held[id_] = route
        self._in_hand.add(id_)

    def leave(self, id_: str) -> bool:
        """The other side has answered; whether that makes room."""
        return self._held.pop(id_, None) is not None

    def drop(self, id_: str) -> None:
        """Nothing more is to be done."""
        self._in_hand.discard(id_)
