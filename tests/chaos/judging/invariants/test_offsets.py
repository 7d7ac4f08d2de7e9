"""The checker detects a group that has committed past an unresolved delivery (7)."""

import json

import pytest
from chaos.judging.handmade import RELEASED, WorldMaker, actual, line, parked, passed_over
from chaos.judging.invariants.notices import intents

from chassis.delivery.records import RawRecord
from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS
from gateway.domain.receipt import submission_key

pytestmark = pytest.mark.serverless


def test_a_notice_that_was_never_made_is_seen() -> None:
    scene = WorldMaker(records=[RELEASED.record])
    (said,) = scene.world().said
    for each in intents(said):
        scene.store("notifications", "notices", each.id, {}, line(said.envelope.id, f"{each.id}/0.1"))
    assert passed_over(scene.world("notifications"), "notifications") == []
    missing, _ = scene.stored.popitem()
    assert passed_over(scene.world("notifications"), "notifications") == [
        f"7: notifications committed past {said.envelope.id}, unresolved for {missing}"
    ]


def test_a_fact_that_the_gateway_does_not_show_ispassed_over() -> None:
    scene = WorldMaker()
    event = scene.say(DECLARATIONS.name, "trade.declarations.declaration.closed.v1", "D-1", {})
    assert passed_over(scene.world("gateway", shown={("D-1", event)}), "gateway") == []
    waits = parked("gateway", "D-1", 0, "refused", event_id=event)
    assert passed_over(scene.world("gateway", parked=[waits]), "gateway") == []
    assert len(passed_over(scene.world("gateway"), "gateway")) == 1
    assert len(passed_over(scene.world("gateway", parked=[{**waits, "service": "tracking"}]), "gateway")) == 1


def test_a_partners_record_that_is_neither_a_receipt_nor_in_quarantine_ispassed_over() -> None:
    scene = WorldMaker()
    value = json.dumps({"source": "/port", "id": "1"}).encode()
    headers = (("ce_source", b"/port"), ("ce_id", b"2"))
    scene.inbox = [
        RawRecord("inbox.port", 0, 0, None, (), value, 0),
        RawRecord("inbox.port", 0, 1, None, headers, b"", 0),
        RawRecord("inbox.port", 0, 2, None, (), b"{", 0),
    ]
    assert len(passed_over(scene.world("gateway"), "gateway")) == 3
    for number in ("1", "2"):
        cause = submission_key("partner:port", "/port", number)
        scene.store("gateway", "partner_receipts", f"PE-{number}", {}, line(cause, f"PE-{number}/0.1"))
    aside = frozenset({("gateway", "inbox.port/0/2")})
    assert passed_over(scene.world("gateway", set_aside=aside), "gateway") == []
    assert len(passed_over(scene.world("gateway"), "gateway")) == 1


def test_a_partner_event_that_its_declaration_missed_ispassed_over() -> None:
    scene = WorldMaker()
    early = scene.say(PARTNERS.name, "trade.partners.shipment.arrived.v1", "PE-1", actual("U"))
    first = scene.say(DECLARATIONS.name, "trade.declarations.declaration.submitted.v1", "D-1", {})
    late = scene.say(PARTNERS.name, "trade.partners.shipment.left.v1", "PE-2", actual("U"))
    state = {"declaration": {"ucr": "U"}}
    scene.store("declarations", "declarations", "D-1", state, line("x", first), line(late))
    kept_ids = {early, late}
    assert passed_over(scene.world("declarations", kept=kept_ids), "declarations") == []
    scene.store("declarations", "declarations", "D-1", state, line("x", first))
    assert passed_over(scene.world("declarations", kept=kept_ids), "declarations") == [
        f"7: declarations committed past {late}, unresolved for D-1"
    ]
    assert len(passed_over(scene.world("declarations"), "declarations")) == 3


def test_a_record_that_nobody_can_read_must_be_parked_by_each_reader() -> None:
    scene = WorldMaker(records=[RawRecord(GATEWAY.name, 0, 0, None, (("ce_id", b"\xff"),), b"{", 0)])
    for group in ("declarations", "matching", "tracking"):
        assert len(passed_over(scene.world(group), group)) == 1
        waits = parked(group, "K", 0, "undecodable", topic=GATEWAY.name, event_id="")
        assert passed_over(scene.world(group, parked=[waits]), group) == []
