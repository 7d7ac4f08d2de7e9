"""Implausible times and places of events: refused over HTTP, quarantined from a topic."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chassis.delivery.records import RawRecord
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.partners.inbox import InboxHandler
from gateway.partners.plausible import Limits

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
LIMITS = Limits()


async def tell(gateway: Any, **data: Any) -> Any:
    event = gateway.an_event(data=gateway.an_event()["data"] | data)
    return await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)


def at(gateway: Any, shift: timedelta) -> str:
    return str((gateway.clock.now() + shift).isoformat())


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        (LIMITS.ahead + timedelta(seconds=1), "event.in_the_future"),
        (timedelta(days=300), "event.in_the_future"),
        (-LIMITS.back - timedelta(seconds=1), "event.too_old"),
    ],
)
async def test_an_implausible_time_is_refused_with_value_and_limit(gateway: Any, shift: timedelta, code: str) -> None:
    answer = await tell(gateway, occurred_at=at(gateway, shift))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/data/occurred_at", code)
    assert error["value"] in error["text"]


@pytest.mark.parametrize("shift", [LIMITS.ahead, -LIMITS.back, timedelta(0)])
async def test_a_time_within_the_limits_is_accepted(gateway: Any, shift: timedelta) -> None:
    assert (await tell(gateway, occurred_at=at(gateway, shift))).status_code == 202


@pytest.mark.parametrize("classifier", ["PLN", "EST"])
async def test_an_expected_event_may_be_in_the_future(gateway: Any, classifier: str) -> None:
    answer = await tell(gateway, classifier=classifier, occurred_at=at(gateway, timedelta(days=300)))
    assert answer.status_code == 202


async def test_a_future_event_on_a_topic_is_compared_with_the_brokers_time_and_quarantined(gateway: Any) -> None:
    gateway.partner()
    owner = Owner(OwnerKind.PARTNER, "port-qd")
    inbox = InboxHandler(Principal(owner, ()), gateway.partners, gateway.receipts, gateway.quarantine, gateway.clock)
    event = gateway.an_event(data=gateway.an_event()["data"] | {"occurred_at": "2026-01-05T08:00:00Z"})
    record = RawRecord("inbox.port-qd", 0, 0, None, (), json.dumps(event).encode(), 1_767_596_400_000)
    await inbox.apply([record])
    (kept,) = gateway.quarantine.stored.values()
    assert [each["code"] for each in kept.faults] == ["event.in_the_future"]


@pytest.mark.parametrize("named", [{}, {"retracts_source": "/port/qingdao"}])
async def test_an_event_that_retracts_itself_is_refused_by_name(gateway: Any, named: dict[str, str]) -> None:
    event = gateway.an_event(id="x3", data=gateway.an_event()["data"] | {"retracts": "x3"} | named)
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"], error["value"]) == ("/data/retracts", "event.retracts_itself", "x3")


async def test_an_event_on_a_topic_that_retracts_itself_is_quarantined(gateway: Any) -> None:
    gateway.partner()
    principal = Principal(Owner(OwnerKind.PARTNER, "port-qd"), ())
    inbox = InboxHandler(principal, gateway.partners, gateway.receipts, gateway.quarantine, gateway.clock)
    event = gateway.an_event(id="x3", data=gateway.an_event()["data"] | {"retracts": "x3"})
    record = RawRecord("inbox.port-qd", 0, 0, None, (), json.dumps(event).encode(), 1_767_596_400_000)
    await inbox.apply([record])
    (kept,) = gateway.quarantine.stored.values()
    assert [(each["code"], each["value"]) for each in kept.faults] == [("event.retracts_itself", "x3")]


async def test_the_same_id_of_another_source_may_be_retracted(gateway: Any) -> None:
    event = gateway.an_event(id="x3", data=gateway.an_event()["data"] | {"retracts": "x3", "retracts_source": "/b"})
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 202


async def test_a_malformed_place_is_refused_by_name(gateway: Any) -> None:
    answer = await tell(gateway, location={"unlocode": "zz-nonsense"})
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["value"]) == ("/data/location/unlocode", "ZZ-NONSENSE")


@pytest.mark.parametrize("place", ["QQQQQ", "ZZZZZ", "SUMOW"])
async def test_a_place_in_no_country_is_refused_by_name(gateway: Any, place: str) -> None:
    answer = await tell(gateway, location={"unlocode": place})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"], error["value"]) == ("/data/location/unlocode", "event.place", place)


async def test_every_spelling_of_a_place_is_published_as_that_place(gateway: Any) -> None:
    answer = await tell(gateway, location={"unlocode": "cn tao"})
    assert (answer.status_code, answer.json().get("warnings", [])) == (202, [])
    (published,) = gateway.outbox.published
    assert json.loads(published["data"])["location"]["unlocode"] == "CNTAO"


async def test_an_unlisted_place_is_accepted_with_a_warning(gateway: Any) -> None:
    answer = await tell(gateway, location={"unlocode": "CN8ZZ"})
    assert answer.status_code == 202
    assert [each["code"] for each in answer.json()["warnings"]] == ["event.place_unlisted"]


async def test_a_place_of_a_country_without_a_list_is_reported_as_not_checked(gateway: Any) -> None:
    answer = await tell(gateway, location={"unlocode": "GBZZZ"})
    assert answer.status_code == 202
    (warning,) = answer.json()["warnings"]
    assert (warning["code"], warning["value"]) == ("event.place_unchecked", "GBZZZ")
    assert "not checked" in warning["text"]


async def test_a_malformed_container_number_is_accepted_with_a_warning(gateway: Any) -> None:
    references = gateway.an_event()["data"]["references"] | {"container": "NOTACONTAINER"}
    answer = await tell(gateway, references=references)
    assert answer.status_code == 202
    assert [each["value"] for each in answer.json()["warnings"]] == ["NOTACONTAINER"]
