"""Refusals at the HTTP door, for those who watch it: a log line each, and a count by reason and by whom.

Labels are bounded: problems by their table, partners by their registration. Whoever shows no valid key is nobody, and
all firms are one: their numbers may be a person's. The line of a firm names its key.
"""

from collections import Counter as Tally
from collections.abc import Sequence

import structlog
from fastapi import Request
from prometheus_client import Counter

from gateway.domain.access import OwnerKind, Principal
from gateway.domain.faults import Refused
from gateway.http.problems import STATUS
from gateway.http.tracing import door_of

REFUSALS = Counter(
    "trade_refusals_total",
    "Requests, and events of a batch, refused at the HTTP door, by problem and by whom: partner:<code>, firm, nobody. "
    "Many key-invalid: somebody tries keys, or a partner uses an ended one. Many of one partner: its system sends what "
    "no contract takes; the log's request_refused says what.",
    ["problem", "by"],
)
NOTED = frozenset({400, 401, 403, 408, 413, 415, 422, 429})
"""Statuses by which a door refuses; what is not found, or a method that is not there, is no refusal."""
_SHOWN = 5

log = structlog.get_logger(__name__)


def entered(request: Request, principal: Principal) -> None:
    """Remember who is at the door."""
    request.state.principal = principal


def note(request: Request, refused: Refused) -> None:
    """Count a refusal, and write it down."""
    status = STATUS[refused.problem]
    if status not in NOTED:
        return
    principal = _who(request)
    REFUSALS.labels(refused.problem, _by(principal)).inc()
    log.warning(
        "request_refused",
        problem=refused.problem,
        status=status,
        door=f"{request.method} {door_of(request.url.path)}",
        by=_by(principal),
        key_id=principal.key_id if principal else "",
        faults=[fault.code for fault in refused.faults[:_SHOWN]],
    )


def note_batch(request: Request, refused: Sequence[Refused]) -> None:
    """As `note`, of the refused events of one batch: one line for all of them."""
    if not refused:
        return
    principal = _who(request)
    problems = Tally(each.problem for each in refused)
    for problem, count in problems.items():
        REFUSALS.labels(problem, _by(principal)).inc(count)
    key_id = principal.key_id if principal else ""
    log.warning("events_refused", problems=dict(problems), by=_by(principal), key_id=key_id)


def _who(request: Request) -> Principal | None:
    found = getattr(request.state, "principal", None)
    return found if isinstance(found, Principal) else None


def _by(principal: Principal | None) -> str:
    if principal is None:
        return "nobody"
    return principal.owner.actor if principal.owner.kind is OwnerKind.PARTNER else "firm"
