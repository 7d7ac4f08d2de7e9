"""A partner's Kafka topic: the same rules as over HTTP; bad records go to quarantine and block nothing."""

import base64
import json
from typing import Any

import pytest

from chassis.delivery.records import UNREADABLE, RawRecord
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.domain.partner import Partner
from gateway.partners.inbox import InboxHandler
from gateway.partners.kafka_binding import MAX_BYTES

PORT = Owner(OwnerKind.PARTNER, "port-qd")
AT_MS = 1_767_600_000_000
"""2026-01-05T08:00:00Z, the time of the test clock."""


@pytest.fixture
def inbox(gateway: Any) -> InboxHandler:
    gateway.registered.stored["port-qd"] = Partner("port-qd", "port")
    return InboxHandler(Principal(PORT, ()), gateway.partners, gateway.receipts, gateway.quarantine, gateway.clock)


def a_record(value: Any, offset: int = 0, headers: Any = (), timestamp_ms: int = AT_MS) -> RawRecord:
    raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    return RawRecord("inbox.port-qd", 0, offset, b"k", tuple(headers), raw, timestamp_ms)


def binary(event: dict[str, Any]) -> dict[str, Any]:
    headers = [(f"ce_{name}", event[name].encode()) for name in ("specversion", "id", "source", "type")]
    return {"value": event["data"], "headers": headers}


async def test_both_modes_are_accepted_as_the_same_submission(gateway: Any, inbox: InboxHandler) -> None:
    await inbox.apply([a_record(gateway.an_event()), a_record(**binary(gateway.an_event()), offset=1)])
    assert len(gateway.outbox.published) == 1
    assert gateway.quarantine.stored == {}


async def test_a_submission_from_the_topic_is_a_duplicate_over_http(gateway: Any, inbox: InboxHandler) -> None:
    await inbox.apply([a_record(gateway.an_event())])
    headers = gateway.partner() | {"Content-Type": "application/cloudevents+json"}
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    assert answer.json()["duplicate"] is True


async def test_a_bad_record_blocks_nothing(gateway: Any, inbox: InboxHandler) -> None:
    good = gateway.an_event(id="good")
    bad: list[Any] = [
        None,
        b"",
        b"\xff",
        b"[" * 100_000,
        {"specversion": "1.0"},
        gateway.an_event(type="trade.partners.shipment.gate_in.v9"),
        gateway.an_event(type="trade.partners.payment.confirmed.v1"),
        gateway.an_event(id="good", data=good["data"] | {"classifier": "EST"}),
    ]
    records = [a_record(good), *(a_record(each, number) for number, each in enumerate(bad, 1))]
    records += [
        a_record(good, 97, [("ce_id", None)]),
        a_record(good, 98, [("ce_id", b"\xff")]),
        a_record(good, 96, [("ce_id", b"1"), ("CE_ID", b"2")]),
        a_record(gateway.an_event(id="after"), 99),
    ]
    await inbox.apply(records)
    assert len(gateway.outbox.published) == 2
    assert {key: each.problem for key, each in gateway.quarantine.stored.items()} == {
        "inbox.port-qd/0/1": "invalid-event",
        "inbox.port-qd/0/2": "json-malformed",
        "inbox.port-qd/0/3": "json-malformed",
        "inbox.port-qd/0/4": "json-too-deep",
        "inbox.port-qd/0/5": "invalid-event",
        "inbox.port-qd/0/6": "unknown-event-type",
        "inbox.port-qd/0/7": "scope-missing",
        "inbox.port-qd/0/8": "submission-conflict",
        "inbox.port-qd/0/96": "invalid-event",
        "inbox.port-qd/0/97": "invalid-event",
        "inbox.port-qd/0/98": "invalid-event",
    }


@pytest.mark.parametrize("part", ["value", "headers", "key"])
async def test_a_record_too_large_for_the_database_is_stored_in_part(
    gateway: Any, inbox: InboxHandler, part: str
) -> None:
    huge: dict[str, Any] = {
        "value": b" " * 20_000_000,
        "headers": (("x", b"x" * 20_000_000),),
        "key": b"k" * 20_000_000,
    }
    await inbox.apply([a_record(gateway.an_event())._replace(**{part: huge[part]}), a_record(gateway.an_event(), 1)])
    (kept,) = gateway.quarantine.stored.values()
    assert (kept.id, kept.problem) == ("inbox.port-qd/0/0", "too-large")
    assert len(kept.key) + len(str(kept.headers)) + len(kept.value) < 3 * MAX_BYTES
    assert len(gateway.outbox.published) == 1


async def test_reading_a_batch_again_changes_nothing(gateway: Any, inbox: InboxHandler) -> None:
    records = [a_record(gateway.an_event()), a_record(b"{", 1)]
    await inbox.apply(records)
    first = dict(gateway.quarantine.stored)
    await gateway.clock.advance(hours=1)
    await inbox.apply(records)
    assert gateway.quarantine.stored == first
    assert len(gateway.outbox.published) == 1


async def test_a_partner_sees_its_own_quarantine_with_reasons(gateway: Any, inbox: InboxHandler) -> None:
    event = gateway.an_event(data={"classifier": "ACT"})
    await inbox.apply([a_record(event, 7, [("x", b"y")])])
    listed = await gateway.http.get("/v1/quarantine", headers=gateway.partner())
    (record,) = listed.json()["records"]
    assert record["id"] == "inbox.port-qd/0/7"
    assert record["submission"] == {"source": "/port/qingdao", "id": "evt-1"}
    assert {each["pointer"] for each in record["problem"]["errors"]} == {"/data/occurred_at", "/data/references"}
    whole = await gateway.http.get("/v1/quarantine/inbox.port-qd/0/7", headers=gateway.partner())
    assert json.loads(base64.b64decode(whole.json()["value_base64"])) == event
    assert whole.json()["headers"] == {"x": "y"}
    stranger = gateway.partner("port-sh")
    assert (await gateway.http.get("/v1/quarantine", headers=stranger)).json() == {"records": []}
    assert (await gateway.http.get("/v1/quarantine/inbox.port-qd/0/7", headers=stranger)).status_code == 404
    assert (await gateway.http.get("/v1/quarantine", headers=gateway.firm())).status_code == 404


async def test_all_records_of_one_batch_are_listed_once(gateway: Any, inbox: InboxHandler) -> None:
    await inbox.apply([a_record(b"{", offset) for offset in range(300)])
    headers, seen, page = gateway.partner(), [], ""
    while True:
        answer = await gateway.http.get("/v1/quarantine", params={"limit": 100, "page": page}, headers=headers)
        seen += [record["id"] for record in answer.json()["records"]]
        page = answer.json().get("next_page", "")
        if not page:
            break
    assert sorted(seen) == sorted(f"inbox.port-qd/0/{offset}" for offset in range(300))


async def test_a_page_of_another_partner_is_refused_by_name(gateway: Any, inbox: InboxHandler) -> None:
    await inbox.apply([a_record(b"{", offset) for offset in range(2)])
    first = await gateway.http.get("/v1/quarantine", params={"limit": 1}, headers=gateway.partner())
    for page in (first.json()["next_page"], "nonsense", "é"):
        answer = await gateway.http.get("/v1/quarantine", params={"page": page}, headers=gateway.partner("port-sh"))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "parameter.page")


async def test_received_at_is_the_brokers_time_and_never_in_the_future(gateway: Any, inbox: InboxHandler) -> None:
    hour = 3_600_000
    await inbox.apply(
        [
            a_record(gateway.an_event(id="early"), 0, timestamp_ms=AT_MS - hour),
            a_record(gateway.an_event(id="ahead"), 1, timestamp_ms=AT_MS + hour),
        ]
    )
    received = [json.loads(each["data"])["received_at"] for each in gateway.outbox.published]
    assert received == ["2026-01-05T07:00:00Z", "2026-01-05T08:00:00Z"]


async def test_an_unreachable_database_quarantines_nothing(gateway: Any, inbox: InboxHandler) -> None:
    async def away(_: Any) -> None:
        raise ConnectionError

    gateway.originals.save = away
    with pytest.raises(ConnectionError):
        await inbox.apply([a_record(gateway.an_event()), a_record(b"{", 1)])
    assert gateway.quarantine.stored == {}


async def test_a_batch_that_cannot_be_decompressed_is_quarantined_as_too_large(
    gateway: Any, inbox: InboxHandler
) -> None:
    told = [(UNREADABLE, b"a batch of 3 records, 32864 bytes, unpacks to more than 16777216 bytes")]
    await inbox.apply([a_record(None, headers=told), a_record(gateway.an_event(), 1)])
    (kept,) = gateway.quarantine.stored.values()
    assert (kept.problem, kept.headers) == ("too-large", tuple(told))
    assert len(gateway.outbox.published) == 1
