"""Control: the documents that customs requests, and the inspection of the goods."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from declarations.domain.claims import Claim, InspectionResult, Kind
from declarations.domain.events import (
    DocumentsAccepted,
    DocumentsRequested,
    Event,
    InspectionCompleted,
    InspectionOrdered,
)
from declarations.domain.regions.region import Region, Regions, Term, last
from declarations.domain.state import CaseReason, Lane, State


class ControlStatus(StrEnum):
    """The most serious matter that control waits for; `none` or `conform` if it waits for nothing."""

    NONE = "none"
    DOCUMENT_CHECK = "document_check"
    DOCUMENTS_REQUESTED = "documents_requested"
    INSPECTION_ORDERED = "inspection_ordered"
    DISCREPANCY = "discrepancy"
    CONFORM = "conform"


@dataclass(frozen=True, slots=True)
class Control:
    waits_for: tuple[ControlStatus, ...]
    """All open matters, the most serious first."""
    documents_requested: tuple[str, ...] | None
    """Types requested and not yet accepted; None if nothing is outstanding."""
    documents_accepted: bool
    inspection: Claim | None
    """The latest result."""

    @property
    def status(self) -> ControlStatus:
        if self.waits_for:
            return self.waits_for[0]
        content = self.documents_accepted or self.inspection is not None
        return ControlStatus.CONFORM if content else ControlStatus.NONE

    @property
    def done(self) -> bool:
        return not self.waits_for


def of(claims: tuple[Claim, ...], state: State) -> Control:
    requested, accepted = _documents(claims)
    inspection = last(claims, Kind.INSPECTION_COMPLETED)
    lane = state.routing.lane if state.routing else None
    return Control(tuple(_waits_for(lane, requested, accepted, inspection)), requested, accepted, inspection)


def announce(before: Regions, after: Regions, now: datetime) -> Iterator[Event]:
    was, is_ = before[CONTROL], after[CONTROL]
    if is_.documents_requested is not None and is_.documents_requested != was.documents_requested:
        yield DocumentsRequested(is_.documents_requested)
    if is_.documents_accepted and not was.documents_accepted:
        yield DocumentsAccepted()
    if is_.status is ControlStatus.INSPECTION_ORDERED and was.status is not ControlStatus.INSPECTION_ORDERED:
        yield InspectionOrdered(now)
    if is_.inspection is not None and is_.inspection != was.inspection and is_.inspection.result is not None:
        yield InspectionCompleted(is_.inspection.result, is_.inspection.findings)


def _done(seen: Regions) -> bool:
    return seen.state.routing is not None and seen[CONTROL].done


def _documents(claims: Iterable[Claim]) -> tuple[tuple[str, ...] | None, bool]:
    """The outstanding documents, and whether customs has accepted documents last."""
    outstanding: tuple[str, ...] | None = None
    accepted = False
    for claim in claims:
        if claim.kind is Kind.DOCUMENTS_REQUESTED:
            outstanding, accepted = claim.documents, False
        elif claim.kind is Kind.DOCUMENTS_ACCEPTED:
            outstanding, accepted = None, True
    return outstanding, accepted


def _waits_for(
    lane: Lane | None, requested: tuple[str, ...] | None, accepted: bool, inspection: Claim | None
) -> Iterator[ControlStatus]:
    if inspection is not None and inspection.result is InspectionResult.DISCREPANCY:
        yield ControlStatus.DISCREPANCY
    if requested is not None:
        yield ControlStatus.DOCUMENTS_REQUESTED
    if lane is Lane.RED and inspection is None:
        yield ControlStatus.INSPECTION_ORDERED
    if lane is Lane.YELLOW and requested is None and not accepted:
        yield ControlStatus.DOCUMENT_CHECK


def _summary(control: Control) -> Mapping[str, Any]:
    return {"control": control.waits_for}


CONTROL: Region[Control] = Region(
    "control", of, announce, _summary, Term("control_done", _done, CaseReason.CONTROL_REOPENED)
)
