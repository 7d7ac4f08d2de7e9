"""The life cycle of an enterprise: every status with every command."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from registry.domain.enterprise import (
    TRANSITIONS,
    Abandon,
    AlreadyRegistered,
    AlreadySuspended,
    Change,
    Changed,
    Enterprise,
    NotRegistered,
    NotSuspended,
    PrimaryNumberFixed,
    Register,
    Registered,
    Reinstate,
    Reinstated,
    Role,
    Status,
    Suspend,
    Suspended,
    decide,
    evolve,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BIN = "KZ-BIN:190540000014"
LEI = "LEI:213800KUD8LAJWSQ9D15"
REGISTER = Register(BIN, "KZ", (BIN,), (Role.IMPORTER,))
CHANGE = Change((BIN, LEI), (Role.IMPORTER, Role.DECLARANT))

ACTIVE = Enterprise(BIN, "KZ", (BIN,), (Role.IMPORTER,), Status.ACTIVE)
SUSPENDED = replace(ACTIVE, status=Status.SUSPENDED, reason="sanctions")

TABLE = [
    (None, REGISTER, Registered(BIN, "KZ", (BIN,), (Role.IMPORTER,))),
    (None, CHANGE, NotRegistered),
    (None, Suspend("sanctions"), NotRegistered),
    (None, Reinstate("cleared"), NotRegistered),
    (None, Abandon(), None),
    (ACTIVE, REGISTER, AlreadyRegistered),
    (ACTIVE, CHANGE, Changed((BIN, LEI), (Role.IMPORTER, Role.DECLARANT))),
    (ACTIVE, Suspend("sanctions"), Suspended("sanctions")),
    (ACTIVE, Reinstate("cleared"), NotSuspended),
    (ACTIVE, Abandon(), None),
    (SUSPENDED, REGISTER, AlreadyRegistered),
    (SUSPENDED, CHANGE, Changed((BIN, LEI), (Role.IMPORTER, Role.DECLARANT))),
    (SUSPENDED, Suspend("sanctions"), AlreadySuspended),
    (SUSPENDED, Reinstate("cleared"), Reinstated("cleared")),
    (SUSPENDED, Abandon(), None),
]


@pytest.mark.parametrize(("state", "command", "outcome"), TABLE)
def test_each_command_in_each_status(state, command, outcome):
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            decide(state, command, NOW)
    else:
        assert decide(state, command, NOW) == (() if outcome is None else (outcome,))


def test_the_table_of_tests_covers_the_whole_table_of_transitions():
    tested = {(state.status if state else None, type(command)) for state, command, _ in TABLE}
    assert tested == set(TRANSITIONS)
    assert len(TRANSITIONS) == 3 * 5


@pytest.mark.parametrize("state", [ACTIVE, SUSPENDED])
def test_the_primary_number_never_changes(state):
    with pytest.raises(PrimaryNumberFixed):
        decide(state, Change((LEI, BIN), (Role.IMPORTER,)), NOW)


def test_a_change_that_changes_nothing_publishes_no_event():
    assert decide(ACTIVE, Change(ACTIVE.numbers, ACTIVE.roles), NOW) == ()


def test_events_give_the_state_and_a_suspension_survives_a_change():
    state = None
    for command in (REGISTER, Suspend("sanctions"), CHANGE):
        for event in decide(state, command, NOW):
            state = evolve(state, event)
    assert state == Enterprise(
        BIN, "KZ", (BIN, LEI), (Role.IMPORTER, Role.DECLARANT), Status.SUSPENDED, reason="sanctions"
    )


def test_an_event_without_a_registration_is_an_error():
    with pytest.raises(NotRegistered):
        evolve(None, Suspended("sanctions"))
