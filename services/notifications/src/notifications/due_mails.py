"""Mails that are due, as far as this process knows of them: what it saved itself, and what it found when it looked.

To ask the database for what is due costs it the whole of a backlog every time; what is known here is taken without
asking. Of each route and in all so many are known, so that neither a dead domain nor a dead mail server fills memory.
"""

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush

OF_A_ROUTE = 200
IN_ALL = 10_000


class DueMails:
    """Notice ids by route and moment."""

    def __init__(self) -> None:
        self._routes: dict[str, list[tuple[datetime, str]]] = {}
        self._ids: set[str] = set()
        self.more = True
        """Whether there may be due ones that are not known here."""

    def add(self, notice_id: str, route: str, due_at: datetime) -> None:
        """Know of a mail; where there is no room, that there are more."""
        if notice_id in self._ids:
            return
        if len(self._ids) >= IN_ALL or len(self._routes.get(route, ())) >= OF_A_ROUTE:
            self.more = True
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
