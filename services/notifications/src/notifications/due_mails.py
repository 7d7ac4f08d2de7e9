"""Mails that are due, as far as this process knows of them: what it saved itself, and what it found when it looked.

To ask the database for what is due costs it the whole of a backlog every time; what is known here is taken without
asking. Of each route and in all so many are known, so that neither a dead domain nor a dead mail server fills memory.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from heapq import heappop, heappush

OF_A_ROUTE = 1_000
IN_ALL = 20_000


class DueMails:
    """Notice ids by route and moment."""

    def __init__(self) -> None:
        self._routes: dict[str, list[tuple[datetime, str]]] = {}
        self._ids: set[str] = set()
        self._more = True
        self._more_of: set[str] = set()
        """Routes with due mails that are not known here."""

    @property
    def worth_a_look(self) -> bool:
        """Whether a look may find what is not known here and for which there is room: half of it, so that a backlog
        is read a few times only."""
        if len(self._ids) > IN_ALL // 2:
            return False
        return self._more or any(len(self._routes.get(route, ())) <= OF_A_ROUTE // 2 for route in self._more_of)

    def looked(self, besides: Collection[str], *, more: bool) -> None:
        """A look has ended, and `add` was told what it found: in all routes `besides` these. Whether there is more."""
        self._more = more
        self._more_of.intersection_update([*besides, *self.full_routes])

    def add(self, notice_id: str, route: str, due_at: datetime) -> None:
        """Know of a mail; where there is no room, that there are more."""
        if notice_id in self._ids:
            return
        if len(self._ids) >= IN_ALL:
            self._more = True
            return
        if len(self._routes.get(route, ())) >= OF_A_ROUTE:
            self._more_of.add(route)
            return
        heappush(self._routes.setdefault(route, []), (due_at, notice_id))
        self._ids.add(notice_id)

    @property
    def full_routes(self) -> list[str]:
        """Those of which no more can be known."""
        return [route for route, known in self._routes.items() if len(known) >= OF_A_ROUTE]

    def take(self, now: datetime, limit: int, room: Callable[[str], int]) -> list[str]:
        """Up to `limit` that are due, of each route as many as it has `room` for; the longest waiting route first."""
        chosen: list[str] = []
        for route in sorted(self._routes, key=lambda each: self._routes[each][0]):
            known = self._routes[route]
            for _ in range(min(room(route), limit - len(chosen))):
                if not known or known[0][0] > now:
                    break
                chosen.append(heappop(known)[1])
            if not known:
                del self._routes[route]
        self._ids.difference_update(chosen)
        return chosen
