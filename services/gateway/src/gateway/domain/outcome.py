"""The outcome of a declaration as a firm may see it, from the events of the declarations service.

A declaration (declarant, LRN) may have several receipts: an original, its corrections, and
submissions that were refused because another one was being processed. A receipt's outcome is the
steps from its own submission to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAIN_STATUS = "main_status"
"""Stored from every event that has it; shown only as the state of the declaration."""

_SHOWN: dict[str, tuple[str, ...]] = {
    "submitted": ("version", "submitted_at", "warnings"),
    "submission_refused": ("errors",),
    "rejected": ("version", "rejected_at", "errors"),
    "prelodged": ("prelodged_at",),
    "accepted": ("number", "accepted_at"),
    "documents_requested": ("documents",),
    "documents_accepted": (),
    "inspection_ordered": ("ordered_at",),
    "inspection_completed": ("result",),
    "hold_placed": ("hold",),
    "hold_lifted": ("hold",),
    "presented": ("presented_at",),
    "presentation_withdrawn": (),
    "assessed": ("total", "pay_by", "payment_reference", "lines"),
    "payment_recorded": ("status", "paid", "due", "payment_reference"),
    "payment_reversed": ("status", "paid", "due", "payment_reference"),
    "payment_overdue": ("pay_by", "paid", "due", "daily_fee", "payment_reference"),
    "payment_overdue_withdrawn": ("pay_by",),
    "released": ("released_at",),
    "removed": ("removed_at",),
    "exited": ("exited_at",),
    "closed": ("closed_at",),
}
"""Facts shown to a firm → the fields shown. The lane and its reasons are never shown."""

SHOWN: dict[str, tuple[str, ...]] = {fact: (*fields, MAIN_STATUS) for fact, fields in _SHOWN.items()}
"""Facts stored → the fields stored."""

STATES: dict[str, str] = {
    "submitted": "submitted",
    "rejected": "rejected",
    "prelodged": "prelodged",
    "accepted": "accepted",
    "under_control": "accepted",  # control's requests to the firm are separate facts; the lane is never shown
    "assessed": "assessed",
    "released": "released",
    "removed": "removed",
    "exited": "exited",
    "closed": "closed",
}
"""Published main status → state shown to a firm."""

_MAIN = ("submitted", "rejected", "prelodged", "accepted", "assessed", "released", "removed", "exited", "closed")
"""Facts that set the state; used for events without a main status."""

RECEIVED = "received"
REFUSED = "submission_refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One fact about a declaration."""

    event: str
    """Id of the event."""
    sequence: int
    fact: str
    at: str
    """Time of the event, RFC 3339."""
    receipt: str = ""
    """Receipt of the submission that it is about, if the event names one."""
    details: Mapping[str, Any] = field(default_factory=dict)


def of_receipt(steps: Sequence[Step], receipt_id: str) -> list[Step]:
    """The steps that belong to one receipt's submission, in order."""
    refused = [step for step in steps if step.fact == REFUSED and step.receipt == receipt_id]
    if refused:
        return refused
    mine: list[Step] = []
    for step in steps:
        if step.fact == REFUSED:
            continue
        if step.fact == "submitted":
            if mine:
                break
            if step.receipt != receipt_id:
                continue
            mine.append(step)
        elif mine:
            mine.append(step)
    return mine


def of_receipts(steps: Sequence[Step], receipt_ids: Iterable[str]) -> list[Step]:
    """The steps that belong to any of some receipts' submissions, in order."""
    seen = {step.event for receipt_id in receipt_ids for step in of_receipt(steps, receipt_id)}
    return [step for step in steps if step.event in seen]


def state_of(steps: Sequence[Step]) -> str:
    """The main state after the steps; a refused submission does not change it."""
    if steps and all(step.fact == REFUSED for step in steps):
        return REFUSED
    return next((state for step in reversed(steps) if (state := _state_after(step))), RECEIVED)


def _state_after(step: Step) -> str | None:
    """The state after a step; None for a refused submission, whose status is that of the other submission."""
    if step.fact == REFUSED:
        return None
    told = STATES.get(step.details.get(MAIN_STATUS, ""))
    return told or (step.fact if step.fact in _MAIN else None)


def summary(declaration_id: str, steps: Sequence[Step]) -> dict[str, Any]:
    """The view of a declaration for a firm."""
    state = state_of(steps)
    errors = next((step.details.get("errors") for step in reversed(steps) if step.fact == state), None)
    warnings = next((step.details.get("warnings") for step in reversed(steps) if step.fact == "submitted"), None)
    shown: dict[str, Any] = {"id": declaration_id, "state": state}
    for name, detail in (("declaration_number", "number"), ("payment_reference", "payment_reference")):
        value = next((step.details[detail] for step in steps if step.details.get(detail)), None)
        if value is not None:
            shown[name] = value
    if errors is not None:
        shown["errors"] = errors
    if warnings:
        shown["warnings"] = warnings
    shown["steps"] = [_shown(step) for step in steps]
    return shown


def _shown(step: Step) -> dict[str, Any]:
    details = {name: value for name, value in step.details.items() if name != MAIN_STATUS}
    return {"fact": step.fact, "at": step.at, "event": step.event, **details}
