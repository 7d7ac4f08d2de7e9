"""The life of a declaration: what each command does in each state, and what follows by itself.

    Lodge ──▶ SUBMITTED ──(rules broken, or a party may not act)──▶ REJECTED ──Lodge──▶ SUBMITTED (version n+1)
                  │ the registry answers; while it is away the declaration waits
                  ├──import──▶ PRELODGED ──arrival──▶ ACCEPTED          number and legal date; never taken back
                  │                └──arrival on a day without an exchange rate──▶ REJECTED
                  └──export──────────────────────────▶ ACCEPTED
                                                          │ risk: lane green, blue, yellow or red
                                                          ▼
                                                    UNDER_CONTROL ──control done──▶ ASSESSED   duty, VAT, pay_by
                                                                                       │ release guard
                                                                                       ▼
              CLOSED ◀── REMOVED (import, gate-out) or EXITED (export, exit) ◀────── RELEASED
                       ╳ goods that left before they were released: not closed, customs decides the case

Beside the main state stand four regions, computed from what partners said (`regions`): control
(documents asked for and accepted, inspection), holds, money, presence. The guard over all of them
is the only way to RELEASED: accepted, control done, no holds, paid or nothing to pay, presented.
Planned and estimated events never come here. A retraction recomputes the regions; what is accepted
stays accepted, and after release a term that fails no longer moves the state but opens a case.

Goods that leave before release (gate-out of an import, exit of an export) do not move the main state
and open the case `removed_before_release` at once. Control, duties and release go on: what is owed is
owed all the same. After the release the state is REMOVED or EXITED, since the goods are gone, and stays
there: CLOSED says that nothing more is expected, and customs still has to decide. Only where the
departure is taken back, and the goods leave released, it closes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from declarations.domain import authority, deadlines, number, room, rules, settling
from declarations.domain.assessment import duty, risk
from declarations.domain.claims import WithoutEffect
from declarations.domain.commands import AnswerParties, Command, Lodge, NoteClaim, PassDeadline, TakeShare
from declarations.domain.declaration import Declaration, Direction
from declarations.domain.events import (
    Accepted,
    Assessed,
    CaseOpened,
    Closed,
    Event,
    Exited,
    PaymentAllocated,
    Prelodged,
    Rejected,
    Released,
    Removed,
    Routed,
    SubmissionRefused,
    Submitted,
)
from declarations.domain.evolve import evolve, noted
from declarations.domain.law import Law
from declarations.domain.regions import CONTROL, PRESENCE, Regions, announce, departures, guard, regions
from declarations.domain.rules import codes, parties
from declarations.domain.state import CaseReason, Lane, RuleError, State, Status
from values.payments import payment_reference


class CommandOutOfOrder(Exception):
    """A command that cannot come in this state, unless something is wrong with who gave it."""


Rule: TypeAlias = Callable[[Any, Any, datetime, Law], Sequence[Event]]
"""(state, command, now, law) → events."""

Step: TypeAlias = Callable[[State, Regions, datetime, Law], Sequence[Event]]
"""(state, its regions, now, law) → events, none while its condition does not hold."""


def lodge(state: State | None, command: Lodge, now: datetime, law: Law) -> Sequence[Event]:
    """A first or a corrected version: taken in, and rejected at once where it breaks rules."""
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
        warnings=room.warnings(codes.warn(command.declaration, law.codes)),
    )
    errors = room.errors(rules.check(command.declaration, command.received_at, law))
    return [submitted, Rejected(version, command.receipt_id, now, errors)] if errors else [submitted]


def correct(state: State, command: Lodge, now: datetime, law: Law) -> Sequence[Event]:
    """A corrected version of the same shipment; another UCR is another shipment, and needs another reference.

    The UCR orders a declaration's events on the topic and names the timeline they stand in: one that
    changed would let readers see the versions out of order.
    """
    if command.declaration.ucr == state.declaration.ucr:
        return [*lodge(state, command, now, law), *_judged_anew(state, command.declaration, law)]
    error = RuleError("declaration.ucr.changed", "/ucr", command.declaration.ucr, {"ucr": state.declaration.ucr})
    return [SubmissionRefused(command.receipt_id, (error,))]


def refuse_reference_in_use(state: State, command: Lodge, _now: datetime, _law: Law) -> Sequence[Event]:
    """The reference belongs to a declaration that is under way: the declarant must hear of it."""
    error = RuleError("declaration.lrn.in_use", "/lrn", command.declaration.lrn, {"status": state.status.value})
    return [SubmissionRefused(command.receipt_id, (error,))]


def judge_parties(state: State, command: AnswerParties, now: datetime, law: Law) -> Sequence[Event]:
    if command.version != state.version:
        raise CommandOutOfOrder(f"answer for version {command.version}, the present one is {state.version}")
    errors = room.errors(parties.judge(state.declaration, command.standings))
    if errors:
        return [Rejected(state.version, state.receipt_id, now, errors)]
    if state.declaration.direction is Direction.IMPORT:
        return [Prelodged(now, command.serial)]
    return [_accepted(state, command.serial, state.received_at, law)]


def note_claim(state: State, command: NoteClaim, _now: datetime, law: Law) -> Sequence[Event]:
    """Whatever a partner says is noted; what its publisher is not concerned with, or paid in vain, has no effect."""
    claim = replace(command.claim, without_effect=authority.judge(command.claim, state.declaration, law.seats))
    return [noted(settling.judged(claim, state.assessment.total.currency if state.assessment else None))]


def take_share(state: State, command: TakeShare, _now: datetime, _law: Law) -> Sequence[Event]:
    """Shares are absolute and numbered: one that was set before the present one says nothing any more."""
    share = command.share
    newer = (each for each in state.shares if each.key == share.key and each.amount.currency == share.amount.currency)
    if any(each.allocation >= share.allocation for each in newer):
        return []
    return [PaymentAllocated(*share.key, share.amount, share.in_time, share.allocation)]


def _judged_anew(state: State, corrected: Declaration, law: Law) -> Iterator[Event]:
    """The claims whose publishers a correction makes concerned, or no longer concerned."""
    for claim in state.claims:
        if claim.without_effect in (None, WithoutEffect.NOT_CONCERNED):
            why = authority.judge(claim, corrected, law.seats)
            if why is not claim.without_effect:
                yield noted(replace(claim, without_effect=why))


def pass_deadline(state: State, command: PassDeadline, _now: datetime, _law: Law) -> Sequence[Event]:
    """One that means nothing any more, such as that of a payment after release, passes without an event."""
    moment = deadlines.DEADLINES[command.name].moment(state)
    if moment is None:
        raise CommandOutOfOrder(f"the deadline {command.name} is not set")
    return deadlines.pass_by(state, moment)


_UNDER_WAY = tuple(status for status in Status if status is not Status.REJECTED)

TRANSITIONS: dict[tuple[Status | None, type[Command]], Rule] = {
    (None, Lodge): lodge,
    (Status.REJECTED, Lodge): correct,
    **{(status, Lodge): refuse_reference_in_use for status in _UNDER_WAY},
    (Status.SUBMITTED, AnswerParties): judge_parties,
    **{(status, NoteClaim): note_claim for status in Status},
    **{(status, TakeShare): take_share for status in Status},
    **{(status, PassDeadline): pass_deadline for status in Status},
}
"""What a command does in a state. A pair that is not here is out of order."""


def accept_on_arrival(state: State, seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    arrived_at = seen[PRESENCE].arrived_at
    if arrived_at is None or state.serial is None:
        return ()
    accepted = _accepted(state, state.serial, arrived_at, law)
    errors = room.errors(rules.check_values(state.declaration, accepted.accepted_at, law))
    return [Rejected(state.version, state.receipt_id, now, errors)] if errors else [accepted]


def route(state: State, _seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    looked_at = risk.inputs(state.declaration, law.calendar.day(state.accepted_at or now))
    routing = risk.route(looked_at, risk.seed(state.id), law.risk)
    return [Routed(routing.lane, routing.score, routing.hits, routing.inputs, routing.seed, now)]


def assess_when_control_is_done(state: State, seen: Regions, now: datetime, law: Law) -> Sequence[Event]:
    if not seen[CONTROL].done:
        return ()
    accepted_at = state.accepted_at or now
    if rules.check_values(state.declaration, accepted_at, law):
        # Accepted under rules or rates that are no longer at hand: staff must act, nothing is taken as zero.
        known = CaseReason.VALUE_UNKNOWN in state.cases
        return () if known else [CaseOpened(CaseReason.VALUE_UNKNOWN, now)]
    lines, total = duty.assess(state.declaration, accepted_at, law.tariff, law.exchange)
    pay_by = law.payment.ends(now) if total.amount else None
    reference = payment_reference(state.id, state.version)
    assessed = Assessed(room.lines(lines), total, law.tariff.name, now, pay_by, reference)
    return [assessed, *(noted(each) for each in settling.in_other_currency(state.claims, total.currency))]


def release_when_guard_holds(state: State, seen: Regions, now: datetime, _law: Law) -> Sequence[Event]:
    terms = guard(seen)
    if not all(terms.values()):
        return ()
    audited = state.routing is not None and state.routing.lane is Lane.BLUE
    # A departure that is known was told before, also where the door's clock goes before this one.
    released_at = max((now, *(each.received_at for each in departures(state))))
    return [Released(released_at, terms), *([CaseOpened(CaseReason.AUDIT, now)] if audited else [])]


def let_go(state: State, seen: Regions, _now: datetime, _law: Law) -> Sequence[Event]:
    left_at = seen[PRESENCE].left_at
    if left_at is None:
        return ()
    return [Removed(left_at) if state.declaration.direction is Direction.IMPORT else Exited(left_at)]


def close(_state: State, seen: Regions, now: datetime, _law: Law) -> Sequence[Event]:
    """Nothing more is expected of goods that left after their release."""
    presence = seen[PRESENCE]
    return [Closed(now)] if presence.left_at is not None and not presence.left_unreleased else ()


STEPS: dict[Status, Step] = {
    Status.PRELODGED: accept_on_arrival,
    Status.ACCEPTED: route,
    Status.UNDER_CONTROL: assess_when_control_is_done,
    Status.ASSESSED: release_when_guard_holds,
    Status.RELEASED: let_go,
    Status.REMOVED: close,
    Status.EXITED: close,
}
"""What happens by itself in a state, as soon as its condition holds."""


def decide(state: State | None, command: Command, *, now: datetime, law: Law) -> tuple[Event, ...]:
    """The events of a command, with everything that follows from them.

    Raises:
        CommandOutOfOrder: the pair of state and command is not in the table.
    """
    status = state.status if state is not None else None
    rule = TRANSITIONS.get((status, type(command)))
    if rule is None:
        raise CommandOutOfOrder(f"{type(command).__name__} in state {status or 'none'}")
    return tuple(_settle(state, rule(state, command, now, law), now, law))


def _settle(state: State | None, events: Sequence[Event], now: datetime, law: Law) -> Iterator[Event]:
    """The events, what they announce, and the steps that have become possible, until nothing more follows."""
    while events:
        for event in events:
            yield event
            before, state = state, evolve(state, event)
            if before is None or before == state:
                continue
            for told in announce(regions(before), regions(state), now):
                yield told
                state = evolve(state, told)
        step = STEPS.get(state.status) if state is not None else None
        events = step(state, regions(state), now, law) if step is not None and state is not None else ()


def _accepted(state: State, serial: str, complete_at: datetime, law: Law) -> Accepted:
    """Acceptance; its legal date is when the door had both the declaration and the goods' arrival."""
    accepted_at = max(state.received_at, complete_at)
    year = law.calendar.year_of(accepted_at)
    return Accepted(
        number.compose(state.declaration.customs_office, year, state.declaration.direction, serial), accepted_at
    )
