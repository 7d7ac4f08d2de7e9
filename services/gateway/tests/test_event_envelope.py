"""The envelope of an event (CloudEvents 1.0.2, HTTP binding): read as the standard says, or refused by name."""

import base64
import json
from typing import Any

import pytest

JSON = {"Content-Type": "application/json"}
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}


async def sent_structured(gateway: Any, event: dict[str, Any]) -> Any:
    return await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)


async def sent_binary(gateway: Any, **attributes: bytes) -> Any:
    event = gateway.an_event()
    given = {name: event[name].encode() for name in ("specversion", "id", "source", "type")} | attributes
    headers = [(f"ce-{name}".encode(), value) for name, value in given.items()]
    headers += [(name.encode(), value.encode()) for name, value in (gateway.partner() | JSON).items()]
    return await gateway.http.post("/v1/events", content=json.dumps(event["data"]), headers=headers)


def submission_of(gateway: Any) -> str:
    found: str = json.loads(gateway.outbox.published[-1]["data"])["submission_id"]
    return found


@pytest.mark.parametrize(
    ("raw", "id_"),
    [
        (b"plain-1", "plain-1"),
        (b'"quoted 1"', "quoted 1"),
        (b'"a \\"b\\" \\\\c"', 'a "b" \\c'),
        (b"%C3%A91", "\u00e91"),
        (b'"%C3%A91"', "\u00e91"),
        (b"50%25", "50%"),
    ],
)
async def test_a_header_is_unquoted_and_percent_decoded(gateway: Any, raw: bytes, id_: str) -> None:
    answer = await sent_binary(gateway, id=raw)
    assert answer.status_code == 202
    assert submission_of(gateway) == id_
    again = await sent_structured(gateway, gateway.an_event(id=id_))
    assert again.json()["duplicate"] is True


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("\u00e91".encode(), "event.header_not_ascii"),
        ("\u00e91".encode("latin-1"), "event.header_not_ascii"),
        (b"%E9", "field.form"),
        (b'"open', "field.form"),
        (b'"a"b"', "field.form"),
    ],
)
async def test_a_badly_encoded_header_is_refused_by_name(gateway: Any, raw: bytes, code: str) -> None:
    answer = await sent_binary(gateway, id=raw)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("ce-id", code)]


async def test_data_in_both_forms_is_refused(gateway: Any) -> None:
    other = base64.b64encode(json.dumps(gateway.an_event()["data"]).encode()).decode()
    answer = await sent_structured(gateway, gateway.an_event(data_base64=other))
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/data_base64", "event.data_twice")
    ]


@pytest.mark.parametrize("name", ["time", "subject", "datacontenttype", "dataschema", "data_base64", "tracestate", "x"])
async def test_an_optional_attribute_that_is_null_is_absent(gateway: Any, name: str) -> None:
    with_null = await sent_structured(gateway, gateway.an_event(**{name: None}))
    assert with_null.status_code == 202
    assert "not_read" not in with_null.json()
    without = await sent_structured(gateway, gateway.an_event())
    assert without.json()["duplicate"] is True


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion", "data"])
async def test_a_required_attribute_that_is_null_is_missing(gateway: Any, name: str) -> None:
    answer = await sent_structured(gateway, gateway.an_event(**{name: None}))
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{name}"]


@pytest.mark.parametrize("name", ["myExtension", "my_extension", "my-extension", "\u0445", "a b", ""])
async def test_an_invalid_attribute_name_is_refused(gateway: Any, name: str) -> None:
    answer = await sent_structured(gateway, gateway.an_event(**{name: "1"}))
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        (f"/{name}", "event.attribute_name")
    ]


async def test_a_header_with_an_invalid_attribute_name_is_refused(gateway: Any) -> None:
    answer = await sent_binary(gateway, my_extension=b"1")
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("ce-my_extension", "event.attribute_name")
    ]


async def test_attributes_that_are_not_carried_are_listed(gateway: Any) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    event = gateway.an_event(subject="s", dataschema="urn:x", ext=1, traceparent=trace, time="2026-01-05T09:00:00Z")
    answer = await sent_structured(gateway, event)
    assert answer.json()["not_read"] == ["/subject", "/dataschema", "/ext"]
    by_header = await sent_binary(gateway, id=b"evt-2", subject=b"s", traceparent=b"nonsense")
    assert by_header.json()["not_read"] == ["ce-subject", "ce-traceparent"]


async def test_long_values_and_names_are_shortened_in_the_answer(gateway: Any) -> None:
    long = "x" * 100_000
    wrong = await sent_structured(gateway, gateway.an_event(type=long, **{long.upper(): 1}))
    data = gateway.an_event()["data"]
    many = {long: 1} | {f"f{n}": 1 for n in range(5_000)}
    unknown = await sent_structured(gateway, gateway.an_event(data=data | many))
    odd = await sent_structured(gateway, gateway.an_event(id="2", data=data | {"classifier": long}))
    media = await gateway.http.post("/v1/events", content=b"{}", headers=gateway.partner() | {"Content-Type": long})
    function = await gateway.http.post(
        "/v1/declarations", params={"function": "x" * 10_000}, json=gateway.a_declaration(), headers=gateway.firm()
    )
    for answer in (wrong, odd, media, function):
        assert answer.status_code in (415, 422)
        assert "x" * 150 in answer.text.lower()
        assert "x" * 201 not in answer.text.lower()
    assert unknown.status_code == 202
    assert len(unknown.json()["not_read"]) == 300
    assert "x" * 201 not in unknown.text
