"""Ids of submissions are checked as references, and hashed in their published form, over HTTP and Kafka."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from chassis.delivery.records import RawRecord
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.domain.faults import Refused
from gateway.domain.receipt import Kind, receipt_id
from gateway.formats.cloudevents import binary, structured
from gateway.partners.inbox import InboxHandler
from values import text

AT_MS = 1_767_600_000_000
NAMES = ("specversion", "id", "source", "type")
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
UNSEEN = [chr(code) for first, last in text.IGNORABLE + text.BLANK for code in range(first, last + 1)]


async def posted_structured(gateway: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | STRUCTURED)
    return list(answer.json().get("errors", []))


async def posted_binary(gateway: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
    headers = {f"ce-{name}": quote(event[name]) for name in NAMES} | gateway.partner()
    answer = await gateway.http.post("/v1/events", json=event["data"], headers=headers)
    return list(answer.json().get("errors", []))


async def on_topic(gateway: Any, value: Any, headers: Any = ()) -> list[dict[str, Any]]:
    bearer = gateway.partner()
    inbox = InboxHandler(
        Principal(Owner(OwnerKind.PARTNER, "port-qd"), ()),
        gateway.partners,
        gateway.receipts,
        gateway.quarantine,
        gateway.clock,
    )
    offset = len(gateway.quarantine.stored)
    await inbox.apply([RawRecord("inbox.port-qd", 0, offset, b"k", tuple(headers), json.dumps(value).encode(), AT_MS)])
    kept = await gateway.http.get(f"/v1/quarantine/inbox.port-qd/0/{offset}", headers=bearer)
    return list(kept.json()["problem"]["errors"]) if kept.status_code == 200 else []


async def record_structured(gateway: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
    return await on_topic(gateway, event)


async def record_binary(gateway: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
    return await on_topic(gateway, event["data"], [(f"ce_{name}", event[name].encode()) for name in NAMES])


DOORS = pytest.mark.parametrize(
    ("tell", "prefix"),
    [(posted_structured, "/"), (posted_binary, "ce-"), (record_structured, "/"), (record_binary, "ce_")],
    ids=lambda each: getattr(each, "__name__", None),
)
Tell = Callable[[Any, dict[str, Any]], Any]


@DOORS
@pytest.mark.parametrize("name", ["id", "source"])
@pytest.mark.parametrize(
    ("sign", "code"),
    [
        ("\u200b", "text.hidden"),
        ("\ufe0f", "text.hidden"),
        ("\U000e0041", "text.hidden"),
        ("\u2800", "text.hidden"),
        ("\u00a0", "text.hidden"),
        ("\x07", "text.control"),
        ("\uff11", "text.compatibility"),
        ("\u0665", "text.digit"),
        ("x\u0430", "text.mixed_scripts"),
    ],
)
async def test_an_id_that_looks_like_another_is_refused_naming_the_character(
    gateway: Any, tell: Tell, prefix: str, name: str, sign: str, code: str
) -> None:
    written = f"evt{sign}-1"
    (error,) = await tell(gateway, gateway.an_event(**{name: written}))
    assert (error["pointer"], error["code"], error["value"]) == (f"{prefix}{name}", f"field.{code}", written)
    if code == "text.hidden":
        assert f"U+{ord(sign):04X}" in error["text"]
    assert gateway.documents.stored == {}


def test_an_id_with_an_invisible_character_is_refused(gateway: Any) -> None:
    event = gateway.an_event()
    for sign in UNSEEN:
        given = event | {"id": f"evt{sign}1"}
        attributes = {name: given[name] for name in NAMES}
        for read in (
            lambda given=given: structured(json.dumps(given).encode()),
            lambda given=attributes: binary(given, {}, json.dumps(event["data"]).encode(), prefix="ce_"),
        ):
            with pytest.raises(Refused) as refused:
                read()
            assert [each.code for each in refused.value.faults] == ["field.text.hidden"]


@DOORS
@pytest.mark.parametrize("name", ["id", "source"])
@pytest.mark.parametrize("written", [" caf\u00e9 1", "caf\u00e9 1 ", "caf\u00e9  1", "cafe\u0301 1"])
async def test_spellings_of_one_id_are_one_submission_identified_by_its_published_form(
    gateway: Any, tell: Tell, prefix: str, name: str, written: str
) -> None:
    del prefix
    assert await tell(gateway, gateway.an_event(**{name: "caf\u00e9 1"})) == []
    assert await tell(gateway, gateway.an_event(**{name: written})) == []
    (published,) = gateway.outbox.published
    said = json.loads(published["data"])
    named = receipt_id(Kind.EVENT, "partner:port-qd", said["submission_source"], said["submission_id"])
    assert list(gateway.documents.stored) == [named] == [said["receipt"]["id"]]


async def test_the_id_in_a_retraction_is_normalised_too(gateway: Any) -> None:
    assert await posted_structured(gateway, gateway.an_event(id="p 1 ")) == []
    data = gateway.an_event()["data"]
    back = data | {"retracts": " p  1", "retracts_source": "/port/qingdao "}
    assert await posted_structured(gateway, gateway.an_event(id="p2", data=back)) == []
    first, second = (json.loads(each["data"]) for each in gateway.outbox.published)
    assert (second["retracts"], second["retracts_source"]) == (first["submission_id"], first["submission_source"])
    (error,) = await posted_structured(gateway, gateway.an_event(id="p3", data=data | {"retracts": "p\u200b1"}))
    assert (error["pointer"], error["code"]) == ("/data/retracts", "field.text.hidden")


async def test_an_idempotency_key_is_checked_like_a_partners_event_id(gateway: Any) -> None:
    headers = gateway.firm() | {"Idempotency-Key": "my\u00ad-1".encode("latin-1")}
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=list(headers.items()))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:trade:problem:invalid-header")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("Idempotency-Key", "field.text.hidden")


FOREIGN = [("x-b3", b"\xff\xfe\x00"), ("x-null", None), ("TraceParent", b"\x80"), ("tracestate", None), ("X-B3", b"1")]


@pytest.mark.parametrize(
    "foreign", [[each] for each in FOREIGN] + [FOREIGN, [("ce_subject", None)], [("ce_ext", None)]]
)
async def test_a_header_of_another_tool_may_hold_any_bytes_or_null(gateway: Any, foreign: Any) -> None:
    event = gateway.an_event()
    headers = [(f"ce_{name}", event[name].encode()) for name in NAMES]
    assert await on_topic(gateway, event["data"], [*foreign, *headers]) == []
    assert await on_topic(gateway, event, [*foreign, ("content-type", b"application/cloudevents+json")]) == []
    (published,) = gateway.outbox.published
    assert json.loads(published["data"])["receipt"]["not_read"] == []


@pytest.mark.parametrize("state", ["v=\u00e9", "v=1\u200b"])
async def test_an_invalid_trace_is_dropped_and_does_no_harm(gateway: Any, state: str) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    event = gateway.an_event(traceparent=parent, tracestate=state)
    assert structured(json.dumps(event).encode()).trace == {"traceparent": parent}
    headers = [(f"ce_{name}", event[name].encode()) for name in NAMES]
    headers += [("traceparent", parent.encode()), ("tracestate", state.encode())]
    assert await on_topic(gateway, event["data"], headers) == []
    (trace,) = (each["trace"] for each in gateway.outbox.published)
    assert (trace["traceparent"], trace.get("tracestate")) == (parent, None)


@pytest.mark.parametrize(
    ("name", "key"), [("ce_id", "CE_ID"), ("ce_source", "ce_source"), ("content-type", "Content-Type")]
)
async def test_a_repeated_header_of_a_record_shows_both_values(gateway: Any, name: str, key: str) -> None:
    event = gateway.an_event()
    headers = [(f"ce_{each}", event[each].encode()) for each in NAMES if f"ce_{each}" != name]
    (error,) = await on_topic(gateway, event["data"], [*headers, (name, b"first-1"), (key, b"\xff-2")])
    assert (error["pointer"], error["code"]) == (name, "event.attribute_twice")
    assert "“first-1”" in error["text"]
    assert "“\\xff-2”" in error["text"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_required_attribute_that_is_null_in_a_record_is_missing(gateway: Any, name: str) -> None:
    event = gateway.an_event()
    headers = [(f"ce_{each}", None if each == name else event[each].encode()) for each in NAMES]
    (error,) = await on_topic(gateway, event["data"], headers)
    assert error["pointer"] == f"ce_{name}"
    assert error["code"] == ("event.specversion" if name == "specversion" else "field.required")


async def test_an_envelope_header_that_is_not_text_is_shown_in_the_fault(gateway: Any) -> None:
    (error,) = await on_topic(gateway, gateway.an_event()["data"], [("ce_id", b"evt\xff")])
    assert (error["pointer"], error["code"], error["value"]) == ("ce_id", "record.header", "evt\\xff")
