"""Every effect leads back to its cause: by parent and link in spans, by causation in events, by UCR in logs.

The shipment of these tests is interrupted: declarations dies after saving the registry's answer and
before publishing it, while the broker is down. Only the outbox has the events afterwards.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from chaos.harness.breaking import traffic_on, world_of
from chaos.harness.processes import frozen
from chaos.harness.traffic import Traffic
from chaos.judging.world import Said
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from contracts.topics import EVENT_TOPICS
from launcher.platform import Platform

LODGED = "POST /v1/declarations"


@dataclass(frozen=True)
class Interrupted:
    """A shipment whose middle was interrupted, closed in the end."""

    ucr: str
    declaration: str
    spans: Mapping[str, Mapping[str, Any]]
    """`<trace id>/<span id>` → span."""
    events: Mapping[str, Said]
    """Every published event, by id."""
    notice_of_release: str
    """Span under which the notice of the release was made."""


async def documents(platform: Platform, database: str, collection: str, where: Mapping[str, Any]) -> list[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(platform.describe()["mongo_url"])
    try:
        return await client[database][collection].find(where).to_list()
    finally:
        await client.close()


async def lodge_into_a_gap(platform: Platform, traffic: Traffic) -> None:
    """Lodge; let declarations save the registry's answer while the broker is down; kill it, restore everything."""
    ucr = traffic.ucrs[0]

    async def in_state(status: str, unsent: bool) -> bool:
        found = await documents(platform, "declarations", "declarations", {"state.declaration.ucr": ucr})
        return bool(found) and found[0]["state"]["status"] == status and bool(found[0]["outbox"]) == unsent

    async def answer_is_traced() -> bool:
        return bool(await documents(platform, "tracking", "spans", {"ucr": ucr, "name": "look up parties"}))

    with frozen(platform.describe()["services"]["registry"]["pid"]):
        await traffic.open_one()
        await eventually(lambda: in_state("submitted", unsent=False))
        await platform.kill_kafka()
    await eventually(lambda: in_state("prelodged", unsent=True), within_seconds=40)
    await eventually(answer_is_traced)
    await platform.kill("declarations")
    await platform.start_kafka()
    await platform.restart("declarations")


@pytest.fixture(scope="module")
async def shipment(fragile: Platform) -> AsyncIterator[Interrupted]:
    async with traffic_on(fragile, shipments=1, seed=99) as traffic:
        await lodge_into_a_gap(fragile, traffic)
        await traffic.run(120)
    ucr = traffic.ucrs[0]
    world = await world_of(fragile)
    declaration = next(
        each for each in world.of("declarations", "declarations") if each.state["declaration"]["ucr"] == ucr
    )
    events = {event: said for topic in EVENT_TOPICS for event, said in world.first_said(topic.name).items()}
    released = next(
        event
        for event in declaration.events
        if events[event].envelope.type == "trade.declarations.declaration.released.v1"
    )

    async def told() -> Any:
        return [
            each
            for each in (await world_of(fragile)).of("notifications")
            if released in each.causes and len(each.lines) > 1
        ]

    notice = (await eventually(told, within_seconds=60))[0]
    start = _key(notice.lines[notice.causes.index(released)]["trace"]["traceparent"])

    async def exported() -> Any:
        found = {each["_id"]: each for each in await documents(fragile, "tracking", "spans", {"ucr": ucr})}
        return found if start in found else None

    spans = await eventually(exported)
    yield Interrupted(ucr, declaration.id, spans, events, start)


def _key(traceparent: str) -> str:
    _, trace_id, span_id, _ = traceparent.split("-")
    return f"{trace_id}/{span_id}"


def causes(spans: Mapping[str, Mapping[str, Any]], start: str) -> Sequence[str]:
    """Every span reached from one by parent and link, nearest first."""
    reached, todo = [], [start]
    while todo:
        key = todo.pop(0)
        if key in reached:
            continue
        reached.append(key)
        span = spans.get(key)
        if span is not None:
            todo += [f"{span['trace_id']}/{span['parent_id']}"] if span["parent_id"] else []
            todo += span["links"]
    return reached


async def test_the_notice_of_release_leads_back_to_the_post_that_lodged(shipment: Interrupted) -> None:
    reached = [
        shipment.spans[key] for key in causes(shipment.spans, shipment.notice_of_release) if key in shipment.spans
    ]
    names = {(span["service"], span["name"]) for span in reached}
    assert ("gateway", LODGED) in names
    assert ("gateway", "send gateway.events.v1") in names
    assert ("declarations", "process gateway.events.v1") in names
    assert ("declarations", "look up parties") in names
    assert ("declarations", "send declarations.events.v1") in names
    assert ("notifications", "process declarations.events.v1") in names


async def test_the_registry_answered_within_the_trace_of_the_look_up(shipment: Interrupted) -> None:
    look_up = next(span for span in shipment.spans.values() if span["name"] == "look up parties")
    of_registry = [
        span
        for span in shipment.spans.values()
        if span["service"] == "registry" and span["trace_id"] == look_up["trace_id"]
    ]
    assert any("CheckParties" in span["name"] for span in of_registry)


async def test_every_event_leads_to_the_receipt_by_causation(shipment: Interrupted) -> None:
    own = [said for said in shipment.events.values() if said.envelope.partitionkey == shipment.ucr]
    assert len(own) > 20
    for said in own:
        assert said.envelope.causationid, said.envelope.id
        trail = [said.envelope.id]
        while (event := shipment.events.get(trail[-1])) is not None:
            assert event.envelope.causationid not in trail
            trail.append(event.envelope.causationid)
        # What is no event is a step of an aggregate (`<id>/registry/1`) or what came through a door.
        root = shipment.events[trail[-2]]
        aggregate = trail[-1].rpartition("/registry/")[0] or trail[-1].split("/")[0]
        assert root.topic in ("gateway.events.v1", "partners.events.v1") or aggregate == root.envelope.subject, trail


async def test_every_log_line_of_the_shipment_carries_its_ucr(shipment: Interrupted, fragile: Platform) -> None:
    lines = []
    for log in fragile.layout.logs.glob("*.log*"):
        for line in log.read_text(errors="replace").splitlines():
            if shipment.declaration in line or shipment.ucr in line:
                with contextlib.suppress(ValueError):
                    lines.append(json.loads(line))
    assert len(lines) > 20
    assert [line for line in lines if line.get("trade.ucr") != shipment.ucr] == []
