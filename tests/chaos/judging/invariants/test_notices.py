"""The checker detects faults of notices and mails (6), each planted in a small world."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chaos.judging.handmade import NOW, RELEASED, line
from chaos.judging.invariants.notices import intents, notices
from chaos.judging.invariants.rest import rest
from chaos.judging.mails import Mail
from chaos.judging.world import Stored, World, said_of

from chassis.aggregates.codec import dataclass_codec
from notifications.domain.notice import Channel, Intent

pytestmark = pytest.mark.serverless


def _notice(intent: Intent, **state: Any) -> Stored:
    status = {"status": "sent", "reason": None} | state
    claim = f"{intent.id}/attempt/1"
    lines = [line(intent.source_event_id, f"{intent.id}/0.1")]
    if intent.channel is Channel.EMAIL:
        lines += [line(claim, f"{intent.id}/0.2"), line(f"{claim}/sent", f"{intent.id}/0.3")]
    told = {"intent": dataclass_codec(Intent).encode(intent)} | status
    return Stored("notifications", "notices", intent.id, len(lines), told, lines, outbox=())


def _told() -> World:
    """A release of which all recipients were notified."""
    (said,) = said_of([RELEASED.record])
    told = intents(said)
    mails = [Mail(each.message_id, "x", NOW + timedelta(seconds=1)) for each in told if each.channel is Channel.EMAIL]
    return World(said=[said], stored=[_notice(each) for each in told], mails=mails)


def _other(owner: Stored, **intent: Any) -> Stored:
    return replace(owner, id=f"{owner.id}x", state={**owner.state, "intent": {**owner.state["intent"], **intent}})


def _by_mail(world: World) -> Stored:
    return next(each for each in world.stored if each.state["intent"]["channel"] == Channel.EMAIL)


def _beside(world: World, **intent: Any) -> World:
    return replace(world, stored=[*world.stored, _other(_by_mail(world), **intent)])


def _in_place(world: World, owner: Stored) -> World:
    return replace(world, stored=[owner if each.id == owner.id else each for each in world.stored])


def _claimed_again(world: World, seconds: int) -> World:
    """A mail was received twice after a second, and claimed for the second time after so many."""
    owner = _by_mail(world)
    claim = line(f"{owner.id}/attempt/2", f"{owner.id}/0.4", at=NOW + timedelta(seconds=seconds))
    twice = replace(world, mails=[*world.mails, world.mails[0]])
    return _in_place(twice, replace(owner, lines=[*owner.lines, claim]))


MAIL_FAULTS: dict[str, tuple[Callable[[World], World], str]] = {
    "nobody noted it": (lambda world: replace(world, stored=world.stored[1:]), "no notice says so"),
    "noted twice": (_beside, "2 notices tell"),
    "nothing to be told": (lambda world: _beside(world, source_event_id="D-9/0.1"), "nothing to be told"),
    "two of one Message-ID": (lambda world: _beside(world, recipient="X:1"), "2 notices go by"),
    "never received": (lambda world: replace(world, mails=world.mails[1:]), "never went out"),
    "under an id of its own": (
        lambda world: replace(world, mails=[*world.mails, Mail("<new@x>", "x", NOW)]),
        "no notice has it",
    ),
    "received oftener than claimed": (
        lambda world: replace(world, mails=[*world.mails, *world.mails]),
        "2 times on 1 claims",
    ),
    "received before it was claimed": (
        lambda world: replace(world, mails=[replace(each, at=NOW - timedelta(seconds=1)) for each in world.mails]),
        "before it was claimed",
    ),
    "repeated before it was claimed again": (lambda world: _claimed_again(world, 10), "before it was claimed"),
    "an intent without a claim": (
        lambda world: _in_place(world, replace(_by_mail(world), lines=_by_mail(world).lines[:1])),
        "1 times on 0 claims",
    ),
    "given up": (
        lambda world: _in_place(world, replace(_by_mail(world), state={**_by_mail(world).state, "status": "given_up"})),
        "is given_up, not sent",
    ),
    "copies to two recipients": (
        lambda world: replace(world, mails=[*world.mails, replace(world.mails[0], to="y")]),
        "went to ['x', 'y']",
    ),
}


def test_notices_that_were_all_sent_pass() -> None:
    verdict = notices(_told())
    assert (verdict.looked_at, verdict.faults) == (6, [])


@pytest.mark.parametrize("fault", MAIL_FAULTS)
def test_a_fault_of_notices_is_seen(fault: str) -> None:
    planted, words = MAIL_FAULTS[fault]
    faults = notices(planted(_told())).faults
    assert any(each.startswith("6:") and words in each for each in faults), faults


def test_a_repeat_that_was_claimed_passes() -> None:
    assert notices(_claimed_again(_told(), 1)).faults == []


def test_a_mail_that_was_claimed_as_its_notice_was_created_passes_once() -> None:
    owner = _by_mail(_told())
    created, claim, sent = owner.lines
    together = replace(owner, lines=[{**created, "events": [*created["events"], *claim["events"]]}, sent])
    world = _in_place(_told(), together)
    assert notices(world).faults == []
    twice = notices(replace(world, mails=[*world.mails, *world.mails])).faults
    assert any(f"{owner.id} went out 2 times on 1 claims" in each for each in twice)


def test_what_an_older_copy_forgot_may_go_out_again_under_its_id() -> None:
    assert notices(MAIL_FAULTS["received oftener than claimed"][0](_told()), claims_lost=True).faults == []


def test_a_notice_that_is_under_way_is_no_rest() -> None:
    world = _told()
    ready = replace(_by_mail(world), state={**_by_mail(world).state, "status": "ready"})
    assert rest(world).faults == []
    assert rest(_in_place(world, ready)).faults == [f"10: {ready.id} is ready, not sent"]
    due = replace(ready, state=_by_mail(world).state, due_at=world.read_at)
    assert rest(_in_place(world, due)).faults == [f"10: {due.id} is overdue since {due.due_at}"]
