"""The life cycle of a listing: every status × command, and the numbered queries to the registry."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from services.matching.tests.matching_builders import NOW, SPONSOR, a_listing, a_project

from matching.domain.listing import (
    Closed,
    ExpireListing,
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
from matching.domain.listing_life import ListingNotSubmitted, ask_after, decide, evolve, expires_at

ENTERPRISE = str(SPONSOR)
OVER = NOW - timedelta(seconds=1)
OPEN = a_listing(a_project())
WAITING = replace(OPEN, status=Status.WAITING, facets=())
SUSPENDED = replace(OPEN, status=Status.CLOSED, closed_for=Closed.SUSPENDED, facets=())
UNKNOWN = replace(SUSPENDED, closed_for=Closed.UNKNOWN)
EXPIRED = replace(SUSPENDED, closed_for=Closed.EXPIRED)
DUE = replace(OPEN, terms=a_project(expires_at=OVER))

SUBMIT_SAME = SubmitListing(OPEN.id, SPONSOR, "R-1", a_project(), "receipt")
SUBMIT_OTHER = SubmitListing(OPEN.id, SPONSOR, "R-1", a_project(stage="operating"), "receipt")
MAY_ACT = RecordStanding(1, Standing.MAY_ACT, ENTERPRISE)
IS_SUSPENDED = RecordStanding(1, Standing.SUSPENDED, ENTERPRISE)
IS_UNKNOWN = RecordStanding(1, Standing.UNKNOWN, "")
LATE_ANSWER = RecordStanding(0, Standing.MAY_ACT, ENTERPRISE)
OTHER_ENTERPRISE = RecordStanding(1, Standing.MAY_ACT, "LEI:OTHER")

AGAIN = ListingChecked(ENTERPRISE, 2, NOW)
WITHDRAWN = ListingWithdrawn(Closed.SUSPENDED)
RESUBMITTED = ListingSubmitted(OPEN.id, SPONSOR, "R-1", SUBMIT_OTHER.terms, "receipt", 2, NOW)
CHANGED = ListingChanged(SUBMIT_OTHER.terms, "receipt")

TABLE = [
    (None, SUBMIT_SAME, [ListingSubmitted(OPEN.id, SPONSOR, "R-1", a_project(), "receipt", 1, NOW)]),
    (WAITING, SUBMIT_SAME, []),
    (OPEN, SUBMIT_SAME, []),
    (SUSPENDED, SUBMIT_SAME, []),
    (WAITING, SUBMIT_OTHER, [RESUBMITTED]),
    (OPEN, SUBMIT_OTHER, [CHANGED]),
    (SUSPENDED, SUBMIT_OTHER, [RESUBMITTED]),
    (EXPIRED, SUBMIT_OTHER, [RESUBMITTED]),
    (WAITING, MAY_ACT, [ListingPublished(ENTERPRISE)]),
    (WAITING, IS_SUSPENDED, [WITHDRAWN]),
    (WAITING, IS_UNKNOWN, [ListingWithdrawn(Closed.UNKNOWN)]),
    (WAITING, LATE_ANSWER, []),
    (WAITING, OTHER_ENTERPRISE, [ListingChecked("LEI:OTHER", 2, NOW)]),
    (replace(WAITING, terms=DUE.terms), MAY_ACT, [ListingWithdrawn(Closed.EXPIRED)]),
    (OPEN, MAY_ACT, []),
    (OPEN, IS_SUSPENDED, []),
    (SUSPENDED, MAY_ACT, []),
    (WAITING, SuspendParty(), [WITHDRAWN]),
    (OPEN, SuspendParty(), [WITHDRAWN]),
    (SUSPENDED, SuspendParty(), []),
    (UNKNOWN, SuspendParty(), []),
    (EXPIRED, SuspendParty(), []),
    (WAITING, RecheckParty(), [AGAIN]),
    (OPEN, RecheckParty(), []),
    (SUSPENDED, RecheckParty(), [AGAIN]),
    (UNKNOWN, RecheckParty(), [AGAIN]),
    (EXPIRED, RecheckParty(), []),
    (WAITING, ExpireListing(), []),
    (OPEN, ExpireListing(), []),
    (DUE, ExpireListing(), [ListingWithdrawn(Closed.EXPIRED)]),
    (SUSPENDED, ExpireListing(), []),
]


@pytest.mark.parametrize(("state", "command", "events"), TABLE)
def test_what_a_command_does_to_a_listing_in_each_status(state: Any, command: Any, events: Any) -> None:
    assert list(decide(state, command, NOW)) == events


def test_the_table_covers_every_status_and_command() -> None:
    commands = {SubmitListing, RecordStanding, SuspendParty, RecheckParty, ExpireListing}
    covered = {(state.status, type(command)) for state, command, _ in TABLE if state}
    assert covered == {(status, command) for status in Status for command in commands}


@pytest.mark.parametrize("command", [MAY_ACT, SuspendParty(), RecheckParty(), ExpireListing()])
def test_a_command_about_a_listing_that_was_never_submitted_is_an_error(command: Any) -> None:
    with pytest.raises(ListingNotSubmitted):
        decide(None, command, NOW)


@pytest.mark.parametrize(("state", "command", "events"), [row for row in TABLE if row[2]])
def test_only_an_open_listing_has_facets_and_an_expiry_and_only_a_waiting_one_is_queried(
    state: Any, command: Any, events: Any
) -> None:
    for event in events:
        before = state.change if state else 0
        state = evolve(state, event)
        assert state.change == before + 1
    assert bool(state.facets) == (state.status is Status.OPEN)
    assert (ask_after(state) is not None) == (state.status is Status.WAITING)
    assert (expires_at(state) is not None) == (state.status is Status.OPEN and state.terms.expires_at is not None)
    assert (state.closed_for is not None) == (state.status is Status.CLOSED)


def test_an_answer_to_a_query_from_before_a_suspension_is_ignored() -> None:
    listing = WAITING
    for command in (SuspendParty(), RecheckParty()):
        for event in decide(listing, command, NOW):
            listing = evolve(listing, event)
    assert listing.status is Status.WAITING
    assert decide(listing, MAY_ACT, NOW) == ()
    assert decide(listing, replace(MAY_ACT, check=listing.check), NOW) == (ListingPublished(ENTERPRISE),)
