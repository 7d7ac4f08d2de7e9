"""The checker detects money that counts twice (5) and bank events that reached no target (3, 7)."""

from collections.abc import Mapping
from typing import Any

import pytest
from chaos.judging.handmade import WorldMaker, line, passed_over
from chaos.judging.invariants.deliveries import deliveries
from chaos.judging.invariants.money import CONFIRMED, REVERSED, conserved

from contracts.topics import DECLARATIONS, PARTNERS
from declarations.domain.settlement import settlement_id

pytestmark = pytest.mark.serverless

UCR = "6CN1"
ACCOUNT = settlement_id(UCR)


def bank(scene: WorldMaker, id_: str, amount: str, type_: str = CONFIRMED, **more: Any) -> str:
    said = {
        "classifier": "ACT",
        "references": {"ucr": UCR},
        "publisher": "bank-qd",
        "submission_id": id_,
        "submission_source": "/bank-qd",
        "payment_reference": "B-1",
        "amount": {"amount": amount, "currency": "CNY"},
    }
    return scene.say(PARTNERS.name, type_, f"P-{id_}", said | more)


def counts(scene: WorldMaker, declaration: str, amount: str, fact: str = "payment_recorded") -> None:
    money: Mapping[str, Any] = {"amount": amount, "currency": "CNY"}
    parts = [{"publisher": "bank-qd", "payment_reference": "B-1", "amount": amount}]
    type_ = f"trade.declarations.declaration.{fact}.v1"
    scene.say(DECLARATIONS.name, type_, declaration, {"paid": money, "due": money, "parts": parts, "status": "paid"})


def test_a_payment_that_counts_for_two_declarations_is_seen() -> None:
    scene = WorldMaker()
    bank(scene, "p", "100.00")
    counts(scene, "D-1", "100.00")
    assert conserved(scene.world()) == []
    counts(scene, "D-2", "100.00")
    assert conserved(scene.world()) == ["5: bank-qd confirmed 100.00 CNY under B-1, and 200.00 is counted"]


def test_a_reversal_and_a_retraction_that_take_nothing_are_seen() -> None:
    for id_, type_, more in (("r", REVERSED, {}), ("s", CONFIRMED, {"retracts": "p"})):
        scene = WorldMaker()
        bank(scene, "p", "100.00")
        counts(scene, "D-1", "100.00")
        bank(scene, id_, "60.00", type_, **more)
        assert len(conserved(scene.world())) == 1
        counts(scene, "D-1", "0" if more else "40.00", "payment_reversed")
        assert conserved(scene.world()) == []


def test_a_plan_to_pay_is_no_money() -> None:
    scene = WorldMaker()
    bank(scene, "p", "100.00", classifier="PLN")
    counts(scene, "D-1", "100.00")
    assert len(conserved(scene.world())) == 1


def test_money_that_reached_no_account_is_seen() -> None:
    scene = WorldMaker()
    event = bank(scene, "p", "100.00")
    world = scene.world("declarations", kept=frozenset({event}), told=frozenset({event}))
    assert deliveries(world).faults == [f"3: {event} is for {ACCOUNT}, which neither applied nor parked it"]
    assert passed_over(world, "declarations") == [f"7: declarations committed past {event}, unresolved for {ACCOUNT}"]
    scene.store("declarations", "settlements", ACCOUNT, {"ucr": UCR}, line(event, f"{ACCOUNT}/0.1"))
    world = scene.world("declarations", kept=frozenset({event}), told=frozenset({event}))
    assert deliveries(world).faults == []
    assert passed_over(world, "declarations") == []


def test_a_share_that_reached_no_declaration_is_seen() -> None:
    scene = WorldMaker()
    type_ = "trade.declarations.settlement.allocated.v1"
    event = scene.say(DECLARATIONS.name, type_, ACCOUNT, {"declaration_id": "D-1", "ucr": UCR})
    assert passed_over(scene.world("declarations"), "declarations") == [
        f"7: declarations committed past {event}, unresolved for D-1"
    ]
    scene.store("declarations", "declarations", "D-1", {}, line(event, "D-1/0.1"))
    assert passed_over(scene.world("declarations"), "declarations") == []
