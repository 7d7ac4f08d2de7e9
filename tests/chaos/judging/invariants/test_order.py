"""The checker detects deliveries that overtake or wait without reason (4)."""

import pytest
from chaos.judging.handmade import WorldMaker, actual, line, parked
from chaos.judging.invariants.order import order
from chaos.judging.world import World

from contracts.topics import DECLARATIONS, PARTNERS

pytestmark = pytest.mark.serverless


def _paid_and_presented(scene: WorldMaker) -> tuple[str, str]:
    first, second = (
        scene.say(PARTNERS.name, "trade.partners.payment.received.v1", f"PE-{number}", actual("U")) for number in "12"
    )
    return first, second


def _declared(scene: WorldMaker, *causes: str) -> None:
    lines = [line(cause, f"D-1/0.{number}") for number, cause in enumerate(("D-1/registry/1", *causes), 1)]
    scene.store("declarations", "declarations", "D-1", {}, *lines)


def test_an_event_that_overtakes_another_of_its_key_is_seen() -> None:
    scene = WorldMaker()
    scene.say(DECLARATIONS.name, "trade.declarations.declaration.prelodged.v1", "D-1", {}, causationid="D-1/registry/1")
    first, second = _paid_and_presented(scene)
    _declared(scene, first, second)
    verdict = order(scene.world())
    assert (verdict.looked_at, verdict.faults) == (2, [])
    _declared(scene, second, first)
    assert order(scene.world()).faults == [f"4: {second} overtook {first} on its way to D-1"]


def test_early_events_join_their_declaration_in_any_order() -> None:
    scene = WorldMaker()
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
