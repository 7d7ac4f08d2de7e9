"""The load reacts to published declaration events, at the given rate, and reports its results, also when stopped."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis.consuming import Reader
from chassis.tasks import cancel
from chassis.testing import eventually
from contracts.envelope import Envelope
from trade_cli.declaration_feed import Feed, Said
from trade_cli.demo_facts import facts
from trade_cli.load import Load, report, shipments
from values.references import ContainerNumber

LIFE = ("submitted", "prelodged", "accepted", "routed", "assessed", "released", "closed")
NEXT = {"shipment.arrived": "accepted", "payment.confirmed": "released", "shipment.gate_out": "closed"}


class FakePlatform:
    """A gateway at which every declaration runs to its end as partners answer."""

    def __init__(self, feed: Feed, *, silent_after: str = "") -> None:
        self._feed = feed
        self._silent_after = silent_after
        self._lrns: dict[str, str] = {}
        self.told: list[str] = []
        self.most = 0

    async def lodge(self, key: str, declaration: Mapping[str, Any]) -> Mapping[str, Any]:
        lrn = declaration["lrn"]
        self._lrns[f"UCR-{lrn}"] = lrn
        self.most = max(self.most, len(self._lrns))
        self._say(lrn, "submitted", "prelodged")
        return {"ucr": f"UCR-{lrn}"}

    async def tell_all(self, key: str, events: Sequence[Mapping[str, Any]]) -> list[str | None]:
        for event in events:
            await self._take(event)
        return [None] * len(events)

    async def _take(self, event: Mapping[str, Any]) -> None:
        fact = event["type"].removeprefix("trade.partners.").removesuffix(".v1")
        ucr = event["data"]["references"]["ucr"]
        self.told.append(fact)
        await asyncio.sleep(0)
        match fact:
            case "shipment.arrived":
                self._say(self._lrns[ucr], "accepted", "routed", "assessed")
            case "payment.confirmed":
                self._say(self._lrns[ucr], "released")
            case "shipment.gate_out":
                self._say(self._lrns.pop(ucr), "closed")

    def _say(self, lrn: str, *said: str) -> None:
        for fact in said:
            if fact == self._silent_after:
                return
            payload = {
                "lrn": lrn,
                "ucr": f"UCR-{lrn}",
                "lane": "green",
                "direction": "import",
                "payment_reference": "RF18539007547034",
                "total": {"amount": "1.00", "currency": "CNY"},
            }
            self._feed.listen(lrn).put_nowait(Said(fact, datetime.now(UTC), payload))


def _load(platform: FakePlatform, feed: Feed) -> Load:
    told = facts()
    keys = dict.fromkeys([told.declarant, *(each.code for each in told.partners)], "key")
    return Load(platform, feed, keys, told.declarant)  # type: ignore[arg-type]  # the doors' two methods are enough


async def test_shipments_run_to_their_end_by_what_is_published_no_more_of_them_at_once_than_asked_for() -> None:
    feed = Feed()
    platform = FakePlatform(feed)
    times = await _load(platform, feed).run(shipments(facts(), 20, 1), side_by_side=3)
    assert report(times, 1.0)["closed"] == 20
    assert platform.most <= 3
    assert platform.told.count("payment.confirmed") == 20
    assert not feed._waiting


async def test_a_load_that_is_stopped_reports_what_it_has_seen() -> None:
    feed = Feed()
    load = _load(FakePlatform(feed, silent_after="released"), feed)
    playing = asyncio.create_task(load.run(shipments(facts(), 5, 1), side_by_side=5))

    async def all_are_accepted() -> bool:
        return sum("accepted" in each.at for each in load.times) == 5

    await eventually(all_are_accepted)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    found = report(load.times, 1.0)
    assert (found["shipments"], found["closed"]) == (5, 0)


async def test_a_declaration_that_is_refused_is_a_problem_and_not_waited_for() -> None:
    feed = Feed()
    load = _load(FakePlatform(feed, silent_after="prelodged"), feed)
    (shipment,) = shipments(facts(), 1, 1)
    feed.listen(shipment.lrn).put_nowait(Said("rejected", datetime.now(UTC), {"lrn": shipment.lrn}))
    (times,) = await load.run([shipment], side_by_side=1)
    assert times.problem == f"{shipment.lrn} was rejected"


class Twice:
    """A reader of one record that is on the topic twice."""

    def __init__(self, lrn: str) -> None:
        event = Envelope(
            id="D-1/0.1",
            source="/trade/declarations",
            type="trade.declarations.declaration.released.v1",
            time=datetime.now(UTC),
            subject="D-1",
            sequence=1,
            partitionkey="UCR",
            causationid="c",
            actor="service:declarations",
        )
        self._record = SimpleNamespace(headers=event.headers(), value=json.dumps({"lrn": lrn}).encode())

    async def getmany(self, **_: int) -> dict[str, list[Any]]:
        await asyncio.sleep(0)
        return {"partition": [self._record]}


async def test_an_event_that_stands_on_the_topic_twice_is_answered_once() -> None:
    feed = Feed()
    heard = feed.listen("L-1")
    following = asyncio.create_task(feed.follow(cast(Reader, Twice("L-1"))))
    try:
        assert (await heard.get()).fact == "released"
        for _ in range(10):
            await asyncio.sleep(0)
        assert heard.empty()
    finally:
        await cancel([following])


def test_containers_are_many_and_right() -> None:
    used = {each.declaration["transport"]["containers"][0] for each in shipments(facts(), 200, 1)}
    assert len(used) > 100
    assert not any(ContainerNumber(each).warning() for each in used)
