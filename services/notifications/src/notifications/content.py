"""Extracts from facts the values that texts of notices mention: numbers and codes, never names."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.declarations import v1 as declarations
from contracts.matching import v1 as matching
from contracts.values import Money
from notifications.domain.notice import Point

MOST_POINTS = 40
"""A notice lists at most this many points and gives the number of the rest."""

NONE = "—"


@dataclass(frozen=True, slots=True)
class Content:
    parameters: dict[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()


def no_details(_: declarations.DeclarationFact) -> Content:
    """No content beyond the numbers in every notice of a declaration."""
    return Content()


def errors(fact: declarations.Rejected | declarations.SubmissionRefused) -> Content:
    return Content(points=_shortened([Point(each.code, each.pointer, each.parameters) for each in fact.errors]))


def accepted(fact: declarations.Accepted) -> Content:
    return Content({"declaration_number": fact.number, "accepted_at": moment(fact.accepted_at)})


def documents(fact: declarations.DocumentsRequested) -> Content:
    return Content(points=_shortened([Point("notice.document", "", {"document": each}) for each in fact.documents]))


def assessed(fact: declarations.Assessed) -> Content | None:
    """The amounts due with their formulae; None if nothing is due."""
    if fact.pay_by is None:
        return None
    lines = [
        Point(
            "notice.assessed.line",
            "",
            {
                "item": str(line.item),
                "tax": line.tax,
                "formula": line.formula,
                "amount": f"{line.amount:f} {fact.total.currency}",
            },
        )
        for line in fact.lines
    ]
    return Content(
        {
            "total": money(fact.total),
            "pay_by": moment(fact.pay_by),
            "payment_reference": payment_reference(fact.payment_reference),
        },
        _shortened(lines),
    )


def payment(fact: declarations.PaymentRecorded | declarations.PaymentReversed) -> Content:
    return Content(
        {
            "paid": money(fact.paid),
            "due": money(fact.due),
            "payment_reference": payment_reference(fact.payment_reference),
        }
    )


def payment_short(fact: declarations.PaymentRecorded) -> Content | None:
    """The missing amount; None if the payment covers what is due."""
    return payment(fact) if fact.status is declarations.MoneyStatus.SHORT else None


def overdue(fact: declarations.PaymentOverdue) -> Content:
    return Content(
        {
            "pay_by": moment(fact.pay_by),
            "paid": money(fact.paid),
            "due": money(fact.due),
            "daily_fee": money(fact.daily_fee),
            "payment_reference": payment_reference(fact.payment_reference),
        }
    )


def overdue_withdrawn(fact: declarations.PaymentOverdueWithdrawn) -> Content:
    return Content({"pay_by": moment(fact.pay_by)})


def match_found(fact: matching.MatchFound) -> Content:
    reasons = [Point(each.code, "", each.parameters) for each in fact.reasons]
    missed = [Point(each.code, "", each.parameters) for each in fact.missed]
    return Content({"match_id": fact.match_id, "score": str(fact.score)}, _shortened([*reasons, *missed]))


def match_withdrawn(fact: matching.MatchWithdrawn) -> Content:
    code = fact.reason if fact.reason.startswith("matching.withdrawn.") else f"matching.withdrawn.{fact.reason}"
    return Content({"match_id": fact.match_id}, (Point(code, "", fact.parameters),))


def money(value: Money) -> str:
    return f"{value.amount:f} {value.currency}"


def payment_reference(value: str | None) -> str:
    """The reference in groups of four, the printed form of ISO 11649."""
    return " ".join(value[start : start + 4] for start in range(0, len(value), 4)) if value else NONE


def moment(value: datetime) -> str:
    """A time to the minute in UTC, the same in every language."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _shortened(points: list[Point]) -> tuple[Point, ...]:
    if len(points) <= MOST_POINTS:
        return tuple(points)
    return (*points[:MOST_POINTS], Point("notice.more", "", {"count": str(len(points) - MOST_POINTS)}))
