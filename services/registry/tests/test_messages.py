"""Encoded events decode to the same events, so that a lost database can be rebuilt from the topic."""

import pytest
from services.registry.tests.registry_builders import ALTYN, LEI

from registry.domain.enterprise import Changed, Enterprise, Registered, Reinstated, Role, Status, Suspended, evolve
from registry.messages import EnterpriseMessages

MESSAGES = EnterpriseMessages()
WARNING = ("registry.identifier.foreign_warning",)
EVENTS = [
    Registered(ALTYN, "KZ", (ALTYN, "DE-HRB:HRB:1"), (Role.DECLARANT, Role.AGENT), WARNING),
    Changed((ALTYN, LEI), (), ()),
    Suspended("sanctions"),
    Reinstated("cleared"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_back_as_it_was(event):
    state = evolve(Enterprise(ALTYN, "KZ", (ALTYN,), (), Status.ACTIVE), event)
    type_, data = MESSAGES.encode(event, state)
    assert MESSAGES.decode(type_, data) == event
