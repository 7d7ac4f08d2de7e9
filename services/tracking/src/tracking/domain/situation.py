"""The situation of a declaration: where it is, and every obstacle (what it waits for, who must act, since and by when).

```
events ──fold──▶ Standing ──every row that holds──▶ obstacles, the decisive one first
                                     └── none ──▶ the first row of STEPS that holds: the platform or nobody must act
```

Pure and without a clock: the reader decides whether a deadline has passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracking.domain.decision_table import BEFORE_HOLDS, BEHIND_HOLDS, STEPS, Row, before_release
from tracking.domain.declaration import Main, Standing
from tracking.domain.folding import standings
from tracking.domain.held import Held
from tracking.domain.obstacle import Obstacle, Role, Trouble
from tracking.domain.timeline import Step


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of one declaration; its codes are keys of the text catalogue."""

    standing: Standing
    where: Main
    obstacles: tuple[Obstacle, ...]
    """At least one; the decisive one is first."""

    @property
    def waiting_for(self) -> str:
        return self.obstacles[0].waiting_for


def situation(standing: Standing, held: Sequence[Held] = ()) -> Situation:
    """The situation of a declaration, from its standing and the parked deliveries of its input."""
    rows = [[_obstacle(row, standing) for row in part if row.holds(standing)] for part in (BEFORE_HOLDS, BEHIND_HOLDS)]
    found = [*_held(held), *rows[0], *_holds(standing), *rows[1], *_cases(standing)]
    if not found:
        found = [_obstacle(next(row for row in STEPS if row.holds(standing)), standing)]
    return Situation(standing, standing.main, tuple(found))


def situations(steps: Iterable[Step], held: Sequence[Held] = ()) -> tuple[Situation, ...]:
    """The situation of each declaration of a timeline, in the order of their first events."""
    found = standings(steps)
    others = {each.declaration_id for each in found}
    return tuple(
        situation(standing, [each for each in held if each.keeps_back(standing.declaration_id, others)])
        for standing in found
    )


def _obstacle(row: Row, standing: Standing) -> Obstacle:
    began = [standing.since[region] for region in row.began if region in standing.since]
    return Obstacle(
        row.waiting_for,
        row.who,
        row.actor(standing),
        since=max(began) if began and row.who is not Role.NOBODY else None,
        by=standing.pay_by if row.to_pay else None,
        detail=row.detail(standing),
        failed=(Trouble(row.failed),) if row.failed else (),
        faults=standing.faults if row.waiting_for == "correction" else (),
    )


def _held(held: Sequence[Held]) -> list[Obstacle]:
    """Parked deliveries, one obstacle per service; until they are processed, no other obstacle is certain."""
    obstacles = []
    for service in dict.fromkeys(each.service for each in held):
        own = [each for each in held if each.service == service]
        count, since = sum(each.count for each in own), min(each.since for each in own)
        trouble = Trouble("held", {"count": str(count), "service": service})
        obstacles.append(Obstacle("held", Role.PLATFORM, service, since, failed=(trouble,)))
    return obstacles


def _holds(standing: Standing) -> list[Obstacle]:
    if not before_release(standing):
        return []
    return [
        Obstacle("hold_lift", Role.AGENCY, each.agency, each.since, failed=(Trouble("hold", {"hold": each.code}),))
        for each in sorted(standing.holds, key=lambda hold: hold.since)
    ]


def _cases(standing: Standing) -> list[Obstacle]:
    """Open cases, for which customs must act; no event closes a case.

    While the goods are gone without release, that is an obstacle itself, so its case is left out.
    """
    told = "removed_before_release" if standing.left_unreleased else ""
    return [
        Obstacle("case", Role.CUSTOMS, standing.office, each.since, failed=(Trouble("case", {"reason": each.reason}),))
        for each in standing.cases
        if each.reason != told
    ]
