"""Observes refusals over HTTP: a log line for each, and a count by problem and caller.

Labels are bounded: problems by their table, partners by registration. A caller without a valid key is `nobody`. All
firms share one label, because a firm's number may identify a person; the log line has the key id.
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
    "Requests, and events of a batch, refused over HTTP, by problem and caller: partner:<code>, firm, nobody. "
    "Many key-invalid: somebody tries keys, or a partner uses a revoked one. Many of one partner: its system sends "
    "invalid data; see request_refused in the log.",
    ["problem", "by"],
)
NOTED = frozenset({400, 401, 403, 408, 413, 415, 422, 429})
"""Statuses that count as a refusal; an unknown path or method does not."""
_SHOWN = 5

log = structlog.get_logger(__name__)


def entered(request: Request, principal: Principal) -> None:
    """Remember the caller of a request."""
    request.state.principal = principal


def note(request: Request, refused: Refused) -> None:
    """Count and log a refusal."""
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
    """As `note`, for the refused events of a batch: one log line for all of them."""
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
