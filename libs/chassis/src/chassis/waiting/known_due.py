"""Due attempts in this process's memory: those it saved itself, and those a scan found.

Querying the database for due attempts reads the whole backlog each time; remembered ones need no query. The number
remembered is limited per route and in total, so neither a dead route nor a dead network fills memory.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

PER_ROUTE = 1_000
IN_TOTAL = 20_000


class Due(NamedTuple):
    """A waiting attempt."""

    moment: datetime
    id: str
    """The aggregate's id."""
    route: str


class KnownDue:
    """Remembered attempts, one per aggregate, by route and moment."""

    def __init__(self) -> None:
        self._routes: dict[str, list[Due]] = {}
        """Heaps; when an entry moves to an earlier moment, the old one stays and is skipped later."""
        self._by_id: dict[str, Due] = {}
        """By the aggregate's id."""
        self._more = True
        self._routes_with_more: set[str] = set()
        """Routes with more due attempts than are remembered."""

    @property
    def worth_a_look(self) -> bool:
        """Whether a scan may find attempts that are not remembered, and half of the capacity is free for them: so a
        backlog is read only a few times."""
        if len(self._by_id) > IN_TOTAL // 2:
            return False
        return self._more or any(len(self._routes.get(route, ())) <= PER_ROUTE // 2 for route in self._routes_with_more)

    def scanned(self, except_routes: Collection[str], *, more: bool) -> None:
        """A scan, of all routes but `except_routes`, has ended and its results were added; `more`: it hit its limit."""
        self._more = more
        self._routes_with_more.intersection_update([*except_routes, *self.full_routes])

    def add(self, due: Due) -> None:
        """Remember an attempt, the earliest per aggregate; if there is no capacity, remember that there are more."""
        before = self._by_id.get(due.id)
        if before is not None and before.moment <= due.moment:
            return
        if len(self._by_id) >= IN_TOTAL:
            self._more = True
            return
        if len(self._routes.get(due.route, ())) >= PER_ROUTE:
            self._routes_with_more.add(due.route)
            return
        heappush(self._routes.setdefault(due.route, []), due)
        self._by_id[due.id] = due

    @property
    def full_routes(self) -> list[str]:
        """Routes at their limit."""
        return [route for route, known in self._routes.items() if len(known) >= PER_ROUTE]

    def take(self, now: datetime, limit: int, room: Callable[[str], int]) -> list[Due]:
        """Up to `limit` due attempts, at most `room(route)` per route; the longest waiting route first."""
        chosen: list[Due] = []
        for route in sorted(self._routes, key=lambda each: self._routes[each][0]):
            known = self._routes[route]
            left = min(room(route), limit - len(chosen))
            while left > 0 and known and known[0].moment <= now:
                due = heappop(known)
                if self._by_id.get(due.id) == due:
                    del self._by_id[due.id]
                    chosen.append(due)
                    left -= 1
            if not known:
                del self._routes[route]
        return chosen
