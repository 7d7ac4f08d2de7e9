"""Each check sees the fault that it is for, planted in a small world, and nothing where there is none."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chaos.checker.notices import intents, notices
from chaos.checker.offsets import offsets
from chaos.checker.order import order
from chaos.checker.rest import rest
from chaos.checker.traces import traces
from chaos.judged import judged, kept
from chaos.mails import Mail
from chaos.verdicts import Verdict
from chaos.world import Stored, World, said_of
from chaos.worlds import NOW, Scene, line, parked, trace

from chassis.codec import dataclass_codec
from chassis.records import RawRecord
from contracts.topics import DECLARATIONS, GATEWAY, MATCHING, PARTNERS, REGISTRY
from gateway.domain.receipt import submission_key
from matching.domain.match import match_id
from matching.store import LISTING
from matching.testing import INVESTOR, a_listing, a_mandate, a_project
from notifications.domain.notice import Channel, Intent
from notifications.testing import an_event

pytestmark = pytest.mark.serverless

GUARD = dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True)
RELEASED = an_event("released", declaration_number="4220", released_at="2026-01-05T08:00:00Z", guard=GUARD)
"""To be told to three firms, over two channels each."""


# 6: notices and mails.


def _notice(intent: Intent, **state: Any) -> Stored:
    status = {"status": "sent", "reason": None} | state
    claim = f"{intent.id}/attempt/1"
    lines = [line(intent.source_event_id, f"{intent.id}/0.1")]
    if intent.channel is Channel.EMAIL:
        lines += [line(claim, f"{intent.id}/0.2"), line(f"{claim}/sent", f"{intent.id}/0.3")]
    told = {"intent": dataclass_codec(Intent).encode(intent)} | status
    return Stored("notifications", "notices", intent.id, len(lines), told, lines, outbox=())


def _told() -> World:
    """A release of which everybody was told."""
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


MAIL_FAULTS: dict[str, tuple[Callable[[World], World], str]] = {
    "nobody noted it": (lambda world: replace(world, stored=world.stored[1:]), "no intent"),
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


def test_what_an_older_copy_forgot_may_go_out_again_under_its_id() -> None:
    assert notices(MAIL_FAULTS["received oftener than claimed"][0](_told()), claims_lost=True).faults == []


def test_a_notice_that_is_under_way_is_no_rest() -> None:
    world = _told()
    ready = replace(_by_mail(world), state={**_by_mail(world).state, "status": "ready"})
    assert rest(world).faults == []
    assert rest(_in_place(world, ready)).faults == [f"10: {ready.id} is ready, not sent"]
    due = replace(ready, state=_by_mail(world).state, due_at=world.read_at)
    assert rest(_in_place(world, due)).faults == [f"10: {due.id} is overdue since {due.due_at}"]


# 7: what each group has passed is resolved by it.


def _seen(world: World, group: str) -> list[str]:
    verdict = offsets(world, [group])
    assert verdict.looked_at, "nothing was looked at"
    return list(verdict.faults)


def test_a_notice_that_was_never_made_is_seen_in_the_offsets() -> None:
    world = replace(_told(), records=[RELEASED.record])
    world = replace(world, committed={"notifications": _scene_of(RELEASED.record).world("x").committed["x"]})
    assert _seen(world, "notifications") == []
    (fault,) = _seen(replace(world, stored=world.stored[1:]), "notifications")
    assert fault == f"7: notifications committed past {RELEASED.envelope.id}, unresolved for {world.stored[0].id}"


def _scene_of(record: RawRecord) -> Scene:
    return Scene(records=[record])


def test_a_fact_that_the_gateway_does_not_show_is_seen() -> None:
    scene = Scene()
    event = scene.say(DECLARATIONS.name, "trade.declarations.declaration.closed.v1", "D-1", {})
    assert _seen(scene.world("gateway", shown={("D-1", event)}), "gateway") == []
    waits = parked("gateway", "D-1", 0, "refused", event_id=event)
    assert _seen(scene.world("gateway", parked=[waits]), "gateway") == []
    assert len(_seen(scene.world("gateway"), "gateway")) == 1
    assert len(_seen(scene.world("gateway", parked=[{**waits, "service": "tracking"}]), "gateway")) == 1


def test_a_partners_record_that_is_neither_a_receipt_nor_in_quarantine_is_seen() -> None:
    scene = Scene()
    value = json.dumps({"source": "/port", "id": "1"}).encode()
    headers = (("ce_source", b"/port"), ("ce_id", b"2"))
    scene.inbox = [
        RawRecord("inbox.port", 0, 0, None, (), value, 0),
        RawRecord("inbox.port", 0, 1, None, headers, b"", 0),
        RawRecord("inbox.port", 0, 2, None, (), b"{", 0),
    ]
    assert len(_seen(scene.world("gateway"), "gateway")) == 3
    for number in ("1", "2"):
        cause = submission_key("partner:port", "/port", number)
        scene.store("gateway", "partner_receipts", f"PE-{number}", {}, line(cause, f"PE-{number}/0.1"))
    aside = frozenset({("gateway", "inbox.port/0/2")})
    assert _seen(scene.world("gateway", set_aside=aside), "gateway") == []
    assert len(_seen(scene.world("gateway"), "gateway")) == 1


def test_a_partner_event_that_its_declaration_missed_is_seen() -> None:
    scene = Scene()
    early = scene.say(PARTNERS.name, "trade.partners.shipment.arrived.v1", "PE-1", _actual("U"))
    first = scene.say(DECLARATIONS.name, "trade.declarations.declaration.submitted.v1", "D-1", {})
    late = scene.say(PARTNERS.name, "trade.partners.shipment.left.v1", "PE-2", _actual("U"))
    state = {"declaration": {"ucr": "U"}}
    scene.store("declarations", "declarations", "D-1", state, line("x", first), line(late))
    kept_ids = {early, late}
    assert _seen(scene.world("declarations", kept=kept_ids), "declarations") == []
    scene.store("declarations", "declarations", "D-1", state, line("x", first))
    assert _seen(scene.world("declarations", kept=kept_ids), "declarations") == [
        f"7: declarations committed past {late}, unresolved for D-1"
    ]
    assert len(_seen(scene.world("declarations"), "declarations")) == 3


def _actual(ucr: str) -> dict[str, Any]:
    return {"classifier": "ACT", "references": {"ucr": ucr}}


def _listed(scene: Scene, name: str) -> str:
    """A listing that the registry's answer opened; the event that says so."""
    listing = a_listing(a_project() if name == "project" else a_mandate())
    lodged = scene.say(GATEWAY.name, f"trade.gateway.{name}.submitted.v1", f"R-{name}", {})
    events = [
        scene.say(MATCHING.name, f"trade.matching.listing.{fact}.v1", listing.id, {"change": number + 1, **owner})
        for number, (fact, owner) in enumerate(
            (("submitted", {}), ("published", {"enterprise_id": listing.enterprise_id}))
        )
    ]
    scene.store(
        "matching",
        "listings",
        listing.id,
        LISTING.codec.encode(listing),
        line(lodged, events[0]),
        line(f"{listing.id}/standing/1", events[1]),
    )
    return events[1]


def test_a_pair_that_fits_and_was_never_judged_is_seen() -> None:
    scene = Scene()
    _listed(scene, "project")
    second = _listed(scene, "mandate")
    pair = match_id(a_listing(a_project()), a_listing(a_mandate()))
    assert _seen(scene.world("matching"), "matching") == [f"7: matching committed past {second}, unresolved for {pair}"]
    scene.store("matching", "matches", pair, {}, line(second))
    scene.stored[pair] = replace(scene.stored[pair], state=_match_state())
    assert _seen(scene.world("matching"), "matching") == []


def _match_state() -> dict[str, Any]:
    project, mandate = a_listing(a_project()), a_listing(a_mandate())
    return {"status": "found", "project": {"listing_id": project.id}, "mandate": {"listing_id": mandate.id}}


def test_a_match_that_was_not_looked_at_again_is_seen() -> None:
    scene = Scene()
    _listed(scene, "project")
    second = _listed(scene, "mandate")
    pair = match_id(a_listing(a_project()), a_listing(a_mandate()))
    found = scene.say(MATCHING.name, "trade.matching.match.found.v1", pair, _judged_on(2, 2))
    scene.store("matching", "matches", pair, _match_state(), line(second, found))
    assert _seen(scene.world("matching"), "matching") == []
    mandate = a_listing(a_mandate()).id
    ends = scene.say(MATCHING.name, "trade.matching.listing.withdrawn.v1", mandate, {"change": 3})
    assert _seen(scene.world("matching"), "matching") == [f"7: matching committed past {ends}, unresolved for {pair}"]
    scene.store("matching", "matches", pair, _match_state(), line(second, found), line(ends))
    assert _seen(scene.world("matching"), "matching") == []
    again = scene.say(MATCHING.name, "trade.matching.match.changed.v1", pair, _judged_on(2, 2))
    assert _seen(scene.world("matching"), "matching") == [f"7: matching committed past {again}, unresolved for {pair}"]


def _judged_on(project: int, mandate: int) -> dict[str, Any]:
    sides = (("project", a_listing(a_project()).id, project), ("mandate", a_listing(a_mandate()).id, mandate))
    return {side: {"listing_id": id_, "change": change} for side, id_, change in sides}


def test_a_listing_that_missed_what_became_of_its_firm_is_seen() -> None:
    scene = Scene()
    _listed(scene, "mandate")
    listing = next(iter(scene.stored.values()))
    firm = {"scheme": INVESTOR.scheme, "value": INVESTOR.value}
    enterprise = {"enterprise_id": str(INVESTOR)}
    events = [
        scene.say(REGISTRY.name, f"trade.registry.enterprise.{fact}.v1", str(INVESTOR), {**enterprise, **more})
        for fact, more in (("suspended", {}), ("changed", {"identifiers": [firm]}))
    ]
    scene.say(REGISTRY.name, "trade.registry.enterprise.suspended.v1", "X:1", {"enterprise_id": "X:1"})
    assert _seen(scene.world("matching"), "matching") == [
        f"7: matching committed past {event}, unresolved for {listing.id}" for event in events
    ]
    scene.stored[listing.id] = replace(listing, lines=[*listing.lines, *(line(event) for event in events)])
    assert _seen(scene.world("matching"), "matching") == []


def test_a_submission_that_no_listing_knows_is_seen() -> None:
    scene = Scene()
    lodged = scene.say(GATEWAY.name, "trade.gateway.project.submitted.v1", "PJ-1", {})
    assert _seen(scene.world("matching"), "matching") == [
        f"7: matching committed past {lodged}, unresolved for its listing"
    ]


def test_a_record_that_nobody_can_read_must_be_parked_by_each_reader() -> None:
    scene = Scene(records=[RawRecord(GATEWAY.name, 0, 0, None, (("ce_id", b"\xff"),), b"{", 0)])
    for group in ("declarations", "matching", "tracking"):
        assert len(_seen(scene.world(group), group)) == 1
        waits = parked(group, "K", 0, "undecodable", topic=GATEWAY.name, event_id="")
        assert _seen(scene.world(group, parked=[waits]), group) == []


# 4: nothing overtakes.


def _paid_and_presented(scene: Scene) -> tuple[str, str]:
    first, second = (
        scene.say(PARTNERS.name, "trade.partners.payment.received.v1", f"PE-{number}", _actual("U")) for number in "12"
    )
    return first, second


def _declared(scene: Scene, *causes: str) -> None:
    lines = [line(cause, f"D-1/0.{number}") for number, cause in enumerate(("D-1/registry/1", *causes), 1)]
    scene.store("declarations", "declarations", "D-1", {}, *lines)


def test_an_event_that_overtakes_another_of_its_key_is_seen() -> None:
    scene = Scene()
    scene.say(DECLARATIONS.name, "trade.declarations.declaration.prelodged.v1", "D-1", {}, causationid="D-1/registry/1")
    first, second = _paid_and_presented(scene)
    _declared(scene, first, second)
    verdict = order(scene.world())
    assert (verdict.looked_at, verdict.faults) == (2, [])
    _declared(scene, second, first)
    assert order(scene.world()).faults == [f"4: {second} overtook {first} on its way to D-1"]


def test_early_events_join_their_declaration_in_any_order() -> None:
    scene = Scene()
    first, second = _paid_and_presented(scene)
    scene.say(DECLARATIONS.name, "trade.declarations.declaration.prelodged.v1", "D-1", {}, causationid="D-1/registry/1")
    _declared(scene, second, first)
    assert order(scene.world()).faults == []


def test_what_waits_for_nothing_that_was_parked_before_it_is_seen() -> None:
    root, behind = parked("declarations", "D-1", 5, "refused"), parked("declarations", "D-1", 6, "behind")
    assert order(World(parked=[root, behind])).faults == []
    redelivered = parked("declarations", "D-1", 4, "behind", parked_at=behind["parked_at"])
    assert order(World(parked=[root, redelivered])).faults == []
    assert len(order(World(parked=[behind])).faults) == 1
    assert len(order(World(parked=[root, parked("declarations", "D-1", 4, "behind")])).faults) == 1
    assert len(order(World(parked=[root, parked("declarations", "D-2", 6, "behind")])).faults) == 1


# 9: causes and traces.


def _answered(scene: Scene, number: int = 2) -> str:
    """A declaration that was lodged in trace 1, and the registry's answer to it, which was sent by span 2/7."""
    lodged = scene.say(GATEWAY.name, "trade.gateway.declaration.submitted.v1", "R-1", {})
    type_ = "trade.declarations.declaration"
    first = scene.say(DECLARATIONS.name, f"{type_}.submitted.v1", "D-1", {}, causationid=lodged)
    answer = {"causationid": "D-1/registry/1", "trace": trace(number, 7)}
    second = scene.say(DECLARATIONS.name, f"{type_}.prelodged.v1", "D-1", {}, **answer)
    lines = line(lodged, first), line("D-1/registry/1", second, number=number)
    scene.store("declarations", "declarations", "D-1", {}, *lines)
    scene.store("gateway", "firm_receipts", "R-1", {}, line("door", lodged))
    return second


def _span(number: int, span: int) -> str:
    return f"{number:032x}/{span:016x}"


def test_a_trace_that_leads_to_no_earlier_one_is_seen() -> None:
    scene = Scene()
    answer = _answered(scene)
    linked = {_span(2, 7): [_span(2, 6), _span(1, 1)]}
    assert traces(scene.world(spans=linked)).faults == []
    unlinked = {_span(2, 7): [_span(2, 6)]}
    assert traces(scene.world(spans=unlinked)).faults == [f"9: the trace of {answer} leads to no earlier one of D-1"]


def test_a_span_that_was_not_exported_is_no_fault_unless_none_was() -> None:
    scene = Scene()
    answer = _answered(scene)
    again = {"causationid": "D-1/registry/2", "trace": trace(3, 8)}
    last = scene.say(DECLARATIONS.name, "trade.declarations.declaration.accepted.v1", "D-1", {}, **again)
    known = scene.stored["D-1"]
    scene.stored["D-1"] = replace(known, seq=3, lines=[*known.lines, line("D-1/registry/2", last, number=3)])
    assert answer != last
    assert traces(scene.world(spans={_span(3, 8): [_span(2, 7)]})).faults == []
    assert traces(scene.world(spans={})).faults == [
        "9: of 2 events in traces of their own, no span says what they came of"
    ]
    assert traces(scene.world(spans=None)).faults == []


def test_an_event_outside_the_trace_of_its_cause_is_seen() -> None:
    scene = Scene()
    lodged = scene.say(GATEWAY.name, "trade.gateway.declaration.submitted.v1", "R-1", {})
    event = scene.say(
        DECLARATIONS.name,
        "trade.declarations.declaration.submitted.v1",
        "D-1",
        {},
        causationid=lodged,
        trace=trace(2),
    )
    assert traces(scene.world()).faults == [f"9: {event} is not in the trace of its cause {lodged}"]


def test_a_cause_that_nobody_said_is_seen() -> None:
    scene = Scene()
    event = scene.say(
        DECLARATIONS.name, "trade.declarations.declaration.submitted.v1", "D-1", {}, causationid="R-9/0.1"
    )
    assert traces(scene.world()).faults == [f"9: the cause of {event}, R-9/0.1, is nothing that anybody said"]


# All of them.


def test_nothing_to_look_at_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="6: there was nothing to look at"):
        kept(judged(World(), []))


def test_every_invariant_is_judged_once_and_what_was_seen_before_is_added() -> None:
    verdicts = judged(World(), [], more=["7: seen right after a kill", "10: late"])
    assert [each.number for each in verdicts] == list(range(1, 11))
    faults = {each.number: list(each.faults) for each in verdicts if each.faults}
    assert faults == {7: ["7: seen right after a kill"], 10: ["10: late"]}
    assert kept([Verdict(1, 0), Verdict(2, 3)], but={1}) == [Verdict(2, 3)]
