"""Control: the documents that customs asks for, and the inspection of the goods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    """The one thing that control waits for; none or conform where it waits for nothing."""

    NONE = "none"
    DOCUMENT_CHECK = "document_check"
    DOCUMENTS_REQUESTED = "documents_requested"
    INSPECTION_ORDERED = "inspection_ordered"
    DISCREPANCY = "discrepancy"
    CONFORM = "conform"


@dataclass(frozen=True, slots=True)
class Control:
    status: ControlStatus
    documents_requested: tuple[str, ...] | None
    """Types asked for and not yet accepted; None where nothing is outstanding."""
    documents_accepted: bool
    inspection: Claim | None
    """The latest result."""

    @property
    def done(self) -> bool:
        return self.status in (ControlStatus.NONE, ControlStatus.CONFORM)


def of(claims: tuple[Claim, ...], state: State) -> Control:
    requested, accepted = _documents(claims)
    inspection = last(claims, Kind.INSPECTION_COMPLETED)
    lane = state.routing.lane if state.routing else None
    return Control(_status(lane, requested, accepted, inspection), requested, accepted, inspection)


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
    """What is outstanding, and whether customs was content in the end."""
    outstanding: tuple[str, ...] | None = None
    accepted = False
    for claim in claims:
        if claim.kind is Kind.DOCUMENTS_REQUESTED:
            outstanding, accepted = claim.documents, False
        elif claim.kind is Kind.DOCUMENTS_ACCEPTED:
            outstanding, accepted = None, True
    return outstanding, accepted


def _status(
    lane: Lane | None, requested: tuple[str, ...] | None, accepted: bool, inspection: Claim | None
) -> ControlStatus:
    """The gravest first."""
    if inspection is not None and inspection.result is InspectionResult.DISCREPANCY:
        return ControlStatus.DISCREPANCY
    if requested is not None:
        return ControlStatus.DOCUMENTS_REQUESTED
    if lane is Lane.RED and inspection is None:
        return ControlStatus.INSPECTION_ORDERED
    if lane is Lane.YELLOW and not accepted:
        return ControlStatus.DOCUMENT_CHECK
    return ControlStatus.CONFORM if accepted or inspection is not None else ControlStatus.NONE


CONTROL: Region[Control] = Region("control", of, announce, Term("control_done", _done, CaseReason.CONTROL_REOPENED))
