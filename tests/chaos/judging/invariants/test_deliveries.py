"""The checker detects deliveries that were lost, applied twice, or never sent (3)."""

import pytest
from chaos.judging.handmade import WorldMaker, actual, line
from chaos.judging.invariants.deliveries import deliveries

from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS

pytestmark = pytest.mark.serverless

LODGED = "trade.gateway.declaration.submitted.v1"


def _shipment(*more: str) -> tuple[WorldMaker, list[str]]:
    """A declaration that was lodged and reported on; the ids of all its events."""
    scene = WorldMaker()
    lodged = scene.say(GATEWAY.name, LODGED, "DC-1", {})
    first = scene.say(DECLARATIONS.name, "trade.declarations.declaration.submitted.v1", "D-1", {})
    told = scene.say(PARTNERS.name, "trade.partners.shipment.arrived.v1", "PE-1", actual("U"))
    state = {"declaration": {"ucr": "U"}}
    scene.store("declarations", "declarations", "D-1", state, line(lodged, first), *map(line, (told, *more)))
    scene.more = {"kept": {told}, "told": {lodged, first, told}}
    return scene, [lodged, first, told]


def test_what_was_applied_once_passes() -> None:
    scene, _ = _shipment("D-1/registry/1", "command/1")
    verdict = deliveries(scene.world())
    assert (verdict.looked_at, verdict.faults) == (3, [])


def test_what_was_applied_twice_or_sent_by_nobody_is_seen() -> None:
    scene, (lodged, *_) = _shipment("PE-9/0.1", "DC-1/0.1")
    assert deliveries(scene.world()).faults == [
        f"3: declarations applied {lodged} 2 times to D-1",
        "3: D-1 applied PE-9/0.1, which nobody sent it",
    ]


def test_what_reached_nobody_is_seen() -> None:
    scene, (lodged, first, told) = _shipment()
    scene.store("declarations", "declarations", "D-1", {"declaration": {"ucr": "U"}}, line("D-1/x", first))
    assert deliveries(scene.world(kept=(), told={first})).faults == [
        f"3: {lodged} was lodged, and no declaration knows it",
        f"3: the partner event {told} is neither kept nor parked",
        f"3: {told} is for D-1, which neither applied nor parked it",
        f"3: {told} of {PARTNERS.name} is in no timeline",
        f"3: {lodged} of {GATEWAY.name} is in no timeline",
    ]
