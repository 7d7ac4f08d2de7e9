"""The checker detects faulty commands: one receipt, one effect. Staff changes of partners are no door commands."""

import pytest
from chaos.judging.handmade import WorldMaker, actual
from chaos.judging.invariants.commands import Sent, commands

from contracts.topics import GATEWAY, PARTNERS

pytestmark = pytest.mark.serverless


def test_a_receipt_with_two_effects_is_seen() -> None:
    scene = WorldMaker()
    for _ in range(2):
        scene.say(PARTNERS.name, "trade.partners.shipment.arrived.v1", "PE-1", actual("U"))
    assert commands(scene.world(), []).faults == ["1: receipt PE-1 has 2 effects"]


def test_a_partner_that_is_registered_and_granted_is_no_receipt() -> None:
    scene = WorldMaker()
    for fact in ("registered", "granted", "revoked"):
        scene.say(GATEWAY.name, f"trade.gateway.partner.{fact}.v1", "port-qd", {})
    assert commands(scene.world(), []).faults == []


def test_an_acknowledged_command_without_a_receipt_is_seen() -> None:
    sent = [Sent("port-qd one", True, "PE-1")]
    assert len(commands(WorldMaker().world(), sent).faults) == 2
