"""The life cycle of a listing: what each command does in each status.

    submit ─▶ WAITING ──registry: may act──▶ OPEN ──suspended, expired──▶ CLOSED
                 │  ▲                          │ ▲                          │
                 │  └─────── recheck ◀─────────┼─┼── reinstated, known now ─┘
                 └──unknown, suspended──▶ CLOSED
                                    changed terms: OPEN stays OPEN, any other status → WAITING

Pending work asks the registry for the firm's standing. Queries are numbered: an event that may change
the standing starts a new query, and answers to earlier queries are ignored."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from matching.domain.listing import (
    Closed,
    Command,
    Event,
    ExpireListing,
    Listing,
    ListingChanged,
    ListingChecked,
    ListingPublished,
    ListingSubmitted,
    ListingWithdrawn,
    RecheckParty,
    RecordStanding,
    Standing,
    Status,
    SubmitListing,
    SuspendParty,
)
from matching.domain.terms import offered_facets


class ListingNotSubmitted(Exception):
    """The command or event is about a listing that was never submitted."""


def decide(state: Listing | None, command: Command, now: datetime) -> Sequence[Event]:
    """The events of a command.

    Raises:
        ListingNotSubmitted: the listing does not exist.
    """
    if isinstance(command, SubmitListing):
        return _submit(state, command, now)
    if state is None:
        raise ListingNotSubmitted(type(command).__name__)
    if isinstance(command, RecordStanding):
        return _record_standing(state, command, now)
    return _RULES[state.status, type(command)](state, now)


def _submit(state: Listing | None, command: SubmitListing, now: datetime) -> Sequence[Event]:
    if state is not None and state.terms == command.terms:
        return ()
    if state is not None and state.status is Status.OPEN:
        return (ListingChanged(command.terms, command.receipt_id),)
    return (
        ListingSubmitted(
            listing_id=command.listing_id,
            firm=command.firm,
            reference=command.reference,
            terms=command.terms,
            receipt_id=command.receipt_id,
            check=state.check + 1 if state else 1,
            asked_at=now,
        ),
    )


def _record_standing(state: Listing, command: RecordStanding, now: datetime) -> Sequence[Event]:
    if state.status is not Status.WAITING or command.check != state.check:
        return ()
    if command.enterprise_id and command.enterprise_id != state.enterprise_id:
        # Registry events find this listing only once it has the enterprise id, so earlier ones may have been missed:
        # query again.
        return (ListingChecked(command.enterprise_id, state.check + 1, now),)
    match command.standing:
        case Standing.SUSPENDED:
            return (ListingWithdrawn(Closed.SUSPENDED),)
        case Standing.UNKNOWN:
            return (ListingWithdrawn(Closed.UNKNOWN),)
        case Standing.MAY_ACT if _is_over(state, now):
            return (ListingWithdrawn(Closed.EXPIRED),)
        case Standing.MAY_ACT:
            return (ListingPublished(state.enterprise_id),)
        case _:
            assert_never(command.standing)


def _nothing(state: Listing, now: datetime) -> Sequence[Event]:  # noqa: ARG001 - a rule of the table
    return ()


def _suspend(state: Listing, now: datetime) -> Sequence[Event]:  # noqa: ARG001 - a rule of the table
    return (ListingWithdrawn(Closed.SUSPENDED),)


def _ask_again(state: Listing, now: datetime) -> Sequence[Event]:
    if state.closed_for is Closed.EXPIRED:
        return ()
    return (ListingChecked(state.enterprise_id, state.check + 1, now),)


def _expire(state: Listing, now: datetime) -> Sequence[Event]:
    return (ListingWithdrawn(Closed.EXPIRED),) if _is_over(state, now) else ()


_RULES: dict[tuple[Status, type[Command]], Callable[[Listing, datetime], Sequence[Event]]] = {
    (Status.WAITING, SuspendParty): _suspend,
    (Status.WAITING, RecheckParty): _ask_again,
    (Status.WAITING, ExpireListing): _nothing,
    (Status.OPEN, SuspendParty): _suspend,
    (Status.OPEN, RecheckParty): _nothing,
    (Status.OPEN, ExpireListing): _expire,
    (Status.CLOSED, SuspendParty): _nothing,
    (Status.CLOSED, RecheckParty): _ask_again,
    (Status.CLOSED, ExpireListing): _nothing,
}
"""(status, command) → rule."""


def _is_over(state: Listing, now: datetime) -> bool:
    return state.terms.expires_at is not None and state.terms.expires_at <= now


def evolve(state: Listing | None, event: Event) -> Listing:
    """The listing after an event."""
    if isinstance(event, ListingSubmitted):
        return _submitted(state, event)
    if state is None:
        raise ListingNotSubmitted(type(event).__name__)
    state = replace(state, change=state.change + 1)
    match event:
        case ListingChecked(enterprise_id, check, asked_at):
            return _not_open(state, Status.WAITING, enterprise_id=enterprise_id, check=check, asked_at=asked_at)
        case ListingPublished(enterprise_id):
            return replace(
                state,
                status=Status.OPEN,
                enterprise_id=enterprise_id,
                closed_for=None,
                facets=offered_facets(state.terms),
            )
        case ListingChanged(terms):
            return replace(state, terms=terms, facets=offered_facets(terms))
        case ListingWithdrawn(reason):
            return _not_open(state, Status.CLOSED, closed_for=reason)
        case _:
            assert_never(event)


def _submitted(state: Listing | None, event: ListingSubmitted) -> Listing:
    return Listing(
        id=event.listing_id,
        firm=event.firm,
        reference=event.reference,
        terms=event.terms,
        status=Status.WAITING,
        enterprise_id=state.enterprise_id if state else str(event.firm),
        check=event.check,
        asked_at=event.asked_at,
        change=state.change + 1 if state else 1,
    )


def _not_open(
    state: Listing,
    status: Status,
    *,
    enterprise_id: str | None = None,
    check: int | None = None,
    asked_at: datetime | None = None,
    closed_for: Closed | None = None,
) -> Listing:
    return replace(
        state,
        status=status,
        enterprise_id=enterprise_id or state.enterprise_id,
        check=check or state.check,
        asked_at=asked_at or state.asked_at,
        closed_for=closed_for,
        facets=(),
    )


def expires_at(state: Listing) -> datetime | None:
    """When an open listing expires; None for any other."""
    return state.terms.expires_at if state.status is Status.OPEN else None


def ask_after(state: Listing) -> datetime | None:
    """The time from which the registry may be asked about a waiting listing; None for any other."""
    return state.asked_at if state.status is Status.WAITING else None
