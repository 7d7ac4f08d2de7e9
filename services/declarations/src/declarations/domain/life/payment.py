"""Shares of payments that name only the UCR, and the passing of deadlines."""

from collections.abc import Sequence
from datetime import datetime

from declarations.domain import deadlines
from declarations.domain.commands import CommandOutOfOrder, PassDeadline, TakeShare
from declarations.domain.events import Event, PaymentAllocated
from declarations.domain.law import Law
from declarations.domain.state import State


def take_share(state: State, command: TakeShare, _now: datetime, _law: Law) -> Sequence[Event]:
    """Set a share. Shares are absolute and numbered: one with a lower number than the current one is ignored."""
    share = command.share
    newer = (each for each in state.shares if each.key == share.key and each.amount.currency == share.amount.currency)
    if any(each.allocation >= share.allocation for each in newer):
        return []
    return [PaymentAllocated(*share.key, share.amount, share.in_time, share.allocation)]


def pass_deadline(state: State, command: PassDeadline, _now: datetime, _law: Law) -> Sequence[Event]:
    """Pass a deadline. One that no longer applies, such as the payment deadline after release, has no event."""
    row = deadlines.DEADLINES[command.name]
    if state.status.is_before(row.counts_in[0]):
        raise CommandOutOfOrder(f"the deadline {command.name} in state {state.status}")
    moment = row.moment(state)
    return deadlines.pass_by(state, moment) if moment is not None else []
