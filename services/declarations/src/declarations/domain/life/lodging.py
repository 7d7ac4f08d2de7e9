"""Lodging of a version: the first, a correction, or one whose reference is in use."""

from collections.abc import Sequence
from datetime import datetime

from declarations.domain import size_limits
from declarations.domain.commands import Lodge
from declarations.domain.events import Event, Rejected, SubmissionRefused, Submitted
from declarations.domain.law import Law
from declarations.domain.life.reports import judged_anew
from declarations.domain.rules import codes
from declarations.domain.rules.header import check
from declarations.domain.state import RuleError, State


def lodge(state: State | None, command: Lodge, now: datetime, law: Law) -> Sequence[Event]:
    """Submit a first or corrected version; reject it at once if it breaks rules."""
    version = state.version + 1 if state is not None else 1
    submitted = Submitted(
        declaration_id=command.declaration_id,
        version=version,
        receipt_id=command.receipt_id,
        received_at=command.received_at,
        firm=command.firm,
        function=command.function,
        submitted_at=now,
        declaration=command.declaration,
        warnings=size_limits.warnings(codes.warn(command.declaration, law.codes)),
    )
    errors = size_limits.errors(check(command.declaration, command.received_at, law))
    return [submitted, Rejected(version, command.receipt_id, now, errors)] if errors else [submitted]


def correct(state: State, command: Lodge, now: datetime, law: Law) -> Sequence[Event]:
    """Lodge a corrected version of the same shipment; another UCR is another shipment and needs another reference.

    The UCR is the Kafka key of a declaration's events: if it changed, consumers could read the versions
    out of order.
    """
    if command.declaration.ucr == state.declaration.ucr:
        return [*lodge(state, command, now, law), *judged_anew(state, command.declaration, law)]
    error = RuleError("declaration.ucr.changed", "/ucr", command.declaration.ucr, {"ucr": state.declaration.ucr})
    return [SubmissionRefused(command.receipt_id, (error,))]


def refuse_reference_in_use(state: State, command: Lodge, _now: datetime, _law: Law) -> Sequence[Event]:
    """Refuse a submission whose reference belongs to a declaration in progress, so that the declarant is told."""
    error = RuleError("declaration.lrn.in_use", "/lrn", command.declaration.lrn, {"status": state.status.value})
    return [SubmissionRefused(command.receipt_id, (error,))]
