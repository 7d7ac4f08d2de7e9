"""A lost database is rebuilt from the topic: encode → decode → evolve gives the state, and nothing is sent again."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.notification_desk import Desk

from chassis.aggregates import Input
from contracts.notifications import v1
from contracts.texts import LANGUAGES
from notifications.domain.life import AttemptNotDue, NoticeUnknown, ResendNotPossible, decide, evolve
from notifications.domain.notice import (
    AddressNotice,
    Channel,
    Command,
    CreateNotice,
    Event,
    Failure,
    Intent,
    Notice,
    Point,
    Reason,
    RecordFailure,
    RecordSent,
    RequestResend,
    StartAttempt,
)
from notifications.messages import NoticeMessages, UnknownEvent
from notifications.notices import NOTICE

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
messages = NoticeMessages()

moments = st.integers(0, 10_000_000).map(lambda ms: START + timedelta(milliseconds=ms))
reasons = st.sampled_from(Reason)
failures = st.builds(Failure, reasons, st.none() | st.integers(400, 599))
# Payloads strip leading and trailing blanks of strings, so values from a topic have none.
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=20)
attempts = st.integers(1, 4)
intents = st.builds(
    Intent,
    id=st.just("N-1"),
    ucr=st.none() | words,
    declaration_id=st.none() | words,
    source_event_id=words,
    source_event_type=words,
    recipient=words,
    channel=st.sampled_from(Channel),
    template=words,
    message_id=words,
    parameters=st.dictionaries(words, words, max_size=3),
    points=st.lists(st.builds(Point, words, words, st.dictionaries(words, words, max_size=2)), max_size=2).map(tuple),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(AddressNotice, words, words, words, st.none() | reasons),
    st.builds(StartAttempt, attempts, moments),
    st.builds(RecordSent, attempts),
    st.builds(RecordFailure, attempts, failures, st.none() | moments),
    st.builds(RequestResend, words),
)


known = st.builds(AddressNotice, st.sampled_from(LANGUAGES), words, words, st.none() | reasons)


@given(intents, st.none() | known, st.none() | moments, st.lists(st.tuples(commands, moments), max_size=12))
def test_published_events_rebuild_the_state(
    intent: Intent, address: AddressNotice | None, lease: datetime | None, steps: list[tuple[Command, datetime]]
) -> None:
    live: Notice | None = None
    rebuilt: Notice | None = None
    for command, now in [(CreateNotice(intent, address, lease), START), *steps]:
        try:
            events = decide(live, command, now)
        except (AttemptNotDue, ResendNotPossible, NoticeUnknown):
            continue
        for event in events:
            live = evolve(live, event)
            rebuilt = evolve(rebuilt, messages.decode(*messages.encode(event, live)))
    assert rebuilt == live


async def test_a_whole_life_cycle_is_rebuilt_exactly(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent(points=(Point("code", "/goods/0", {"value": "9"}),)))
    now = desk.clock.now()
    life: list[Command] = [
        StartAttempt(1, now),
        RecordFailure(1, Failure(Reason.DEFERRED, 451), now),
        StartAttempt(2, now),
        RecordFailure(2, Failure(Reason.REFUSED, 550), None),
        RequestResend("bounced"),
    ]
    for number, command in enumerate(life):
        await desk.notices.apply_one(Input(id_, f"cause-{number}", command, "service:notifications"))
    rebuilt: Notice | None = None
    for entry in desk.outbox.published:
        rebuilt = evolve(rebuilt, messages.decode(entry["type"], entry["data"].encode()))
    assert rebuilt == await desk.state(id_)


async def test_every_state_round_trips_through_its_document(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    notice = await desk.state(id_)
    assert NOTICE.codec.decode(NOTICE.codec.encode(notice)) == notice


def test_an_unknown_event_type_raises() -> None:
    with pytest.raises(UnknownEvent):
        messages.decode("trade.notifications.notice.forgotten.v1", b"{}")


def test_the_domain_events_are_exactly_those_of_the_contract() -> None:
    assert {payload.__name__ for payload in v1.EVENTS.values()} == {event.__name__ for event in get_args(Event)}
