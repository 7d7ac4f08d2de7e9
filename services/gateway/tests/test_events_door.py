"""`POST /v1/events`: what partners may send, storing each event once, reporting faults."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from pymongo.errors import NetworkTimeout, ServerSelectionTimeoutError, WaitQueueTimeoutError

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


async def test_an_event_is_stored_before_it_is_acknowledged(gateway: Any) -> None:
    sent = json.dumps(gateway.an_event()).encode()
    answer = await gateway.http.post("/v1/events", content=sent, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 202
    receipt = answer.json()
    assert answer.headers["location"] == receipt["status_url"] == f"/v1/receipts/{receipt['id']}"
    stored = gateway.documents.stored[receipt["id"]]
    assert stored["key"] == "6CN91370200MB2F00QD1X-0001"
    assert gateway.originals.stored[stored["state"]["original"]].body == sent
    (published,) = gateway.outbox.published
    payload = json.loads(published["data"])
    assert published["type"] == "trade.partners.shipment.gate_in.v1"
    assert published["by"] == "partner:port-qd"
    stamps = {name: payload[name] for name in ("publisher", "publisher_role", "submission_id", "received_at")}
    assert stamps == {
        "publisher": "port-qd",
        "publisher_role": "port",
        "submission_id": "evt-1",
        "received_at": "2026-01-05T08:00:00Z",
    }


async def test_stamps_of_the_gateway_cannot_be_forged(gateway: Any) -> None:
    forged = {"publisher": "bank-of-x", "publisher_role": "bank", "received_at": "2020-01-01T00:00:00Z", "receipt": 1}
    event = gateway.an_event()
    event["data"] |= forged
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 202
    payload = json.loads(gateway.outbox.published[0]["data"])
    assert (payload["publisher"], payload["publisher_role"]) == ("port-qd", "port")
    assert payload["received_at"] == "2026-01-05T08:00:00Z"


async def test_binary_mode_reads_the_attributes_from_headers(gateway: Any) -> None:
    event = gateway.an_event()
    headers = {f"ce-{name}": event[name] for name in ("specversion", "id", "source", "type")}
    sent = json.dumps(event["data"]).encode()
    headers |= gateway.partner() | {"Content-Type": "application/json; charset=utf-8"}
    answer = await gateway.http.post("/v1/events", content=sent, headers=headers)
    assert answer.status_code == 202
    again = await gateway.http.post("/v1/events", json=event, headers=headers | CLOUDEVENT)
    assert again.json()["duplicate"] is True
    assert again.json()["id"] == answer.json()["id"]


async def test_percent_encoded_attributes_identify_the_same_submission_as_in_other_modes(gateway: Any) -> None:
    event = gateway.an_event(id="единица/1 %")
    names = {f"ce-{name}": quote(event[name]) for name in ("specversion", "id", "source", "type")}
    headers = names | gateway.partner() | {"Content-Type": "application/json"}
    answer = await gateway.http.post("/v1/events", json=event["data"], headers=headers)
    assert answer.status_code == 202
    again = await gateway.http.post("/v1/events", json=event, headers=headers | CLOUDEVENT)
    assert (again.json()["duplicate"], again.json()["id"]) == (True, answer.json()["id"])


@pytest.mark.parametrize(
    ("ids", "code", "words"),
    [(["evt-1", "evt-2"], "event.attribute_twice", "“evt-1” and as “evt-2”"), (["%ff"], "field.form", "form")],
)
async def test_a_repeated_or_undecodable_attribute_is_refused(
    gateway: Any, ids: list[str], code: str, words: str
) -> None:
    event = gateway.an_event()
    headers = [(f"ce-{name}", event[name]) for name in ("specversion", "source", "type")]
    headers += [("ce-id", id_) for id_ in ids] + list(gateway.partner().items())
    answer = await gateway.http.post("/v1/events", json=event["data"], headers=headers)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("ce-id", code)
    assert words in error["text"]


async def test_data_may_come_in_base64(gateway: Any) -> None:
    event = gateway.an_event()
    event["data_base64"] = base64.b64encode(json.dumps(event.pop("data")).encode()).decode()
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 202


async def test_the_same_data_again_is_a_duplicate_with_the_first_receipt(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    first = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    event = gateway.an_event(traceparent=f"00-{'a' * 32}-{'b' * 16}-01", time="2026-01-05T01:00:00Z")
    reordered = json.dumps(dict(reversed(event.items())), indent=2)
    again = await gateway.http.post("/v1/events", content=reordered, headers=headers)
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    assert again.json()["id"] == first.json()["id"]
    assert len(gateway.outbox.published) == 1


async def test_other_data_with_the_same_id_is_a_conflict(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    first = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    other = gateway.an_event()
    other["data"] = other["data"] | {"occurred_at": "2026-01-05T10:00:00+08:00"}
    conflict = await gateway.http.post("/v1/events", json=other, headers=headers)
    assert conflict.status_code == 422
    assert conflict.headers["content-type"] == "application/problem+json"
    assert conflict.json()["type"] == "urn:trade:problem:submission-conflict"
    assert first.json()["id"] in conflict.json()["detail"]
    assert len(gateway.outbox.published) == 1


async def test_the_same_id_of_another_partner_is_another_event(gateway: Any) -> None:
    for code in ("port-qd", "port-sh"):
        answer = await gateway.http.post(
            "/v1/events", json=gateway.an_event(), headers=gateway.partner(code) | CLOUDEVENT
        )
        assert "duplicate" not in answer.json()
    assert len(gateway.outbox.published) == 2


async def test_every_fault_is_reported_at_once_with_its_pointer(gateway: Any) -> None:
    event = gateway.an_event()
    event["data"] = {
        "classifier": "SURE",
        "occurred_at": "2026-01-05T09:00:00",
        "references": {"ucr": "x" * 36},
        "location": "CNTAO",
    }
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 422
    found = {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        ("/data/classifier", "field.not_in_list"),
        ("/data/occurred_at", "field.no_offset"),
        ("/data/references/ucr", "field.too_long"),
        ("/data/location", "field.not_an_object"),
    }


async def test_faults_of_the_envelope_are_reported_at_once(gateway: Any) -> None:
    event = {"specversion": "0.3", "id": "", "source": 7, "data": [], "time": "today"}
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/specversion",
        "/id",
        "/source",
        "/type",
        "/data",
        "/time",
    }


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN,en;q=0.5", "此项必填。"), ("ru", "Поле обязательно."), ("fr", "required")]
)
async def test_faults_are_reported_in_the_language_asked_for(gateway: Any, language: str, words: str) -> None:
    event = gateway.an_event(data={})
    headers = gateway.partner() | CLOUDEVENT | {"Accept-Language": language}
    answer = await gateway.http.post("/v1/events", json=event, headers=headers)
    assert words in answer.json()["errors"][0]["text"]


async def test_an_event_without_a_reference_is_refused(gateway: Any) -> None:
    event = gateway.an_event()
    event["data"]["references"] = {}
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.json()["errors"][0]["code"] == "event.no_reference"


async def test_a_batch_answers_item_by_item(gateway: Any) -> None:
    bad = gateway.an_event(id="evt-2", data={})
    conflicting = gateway.an_event(data=gateway.an_event()["data"] | {"classifier": "EST"})
    items = [gateway.an_event(), bad, gateway.an_event(), conflicting, "nonsense", gateway.an_event(id="evt-3")]
    answer = await gateway.http.post("/v1/events", json=items, headers=gateway.partner() | BATCH)
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [each["status"] for each in results] == ["received", "refused", "received", "refused", "refused", "received"]
    assert results[2]["duplicate"] is True
    assert results[3]["problem"]["type"].endswith("submission-conflict")
    assert len(gateway.outbox.published) == 2


async def test_a_batch_that_is_too_long_is_refused_whole(gateway: Any) -> None:
    answer = await gateway.http.post("/v1/events", json=[{}] * 501, headers=gateway.partner() | BATCH)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:trade:problem:batch-too-long")


@pytest.mark.parametrize(
    ("role", "type_"),
    [
        ("port", "trade.partners.payment.confirmed.v1"),
        ("bank", "trade.partners.shipment.gate_in.v1"),
        ("agency", "trade.partners.control.documents_accepted.v1"),
    ],
)
async def test_a_partner_reports_only_event_types_of_its_role(gateway: Any, role: str, type_: str) -> None:
    headers = gateway.partner("p", role) | CLOUDEVENT
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(type=type_), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:trade:problem:scope-missing")
    assert gateway.outbox.published == []


async def test_a_scope_narrows_the_role(gateway: Any) -> None:
    headers = gateway.partner("port-qd", "port", "events.write:trade.partners.shipment.gate_out.v1") | CLOUDEVENT
    gate_in = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    out = gateway.an_event(type="trade.partners.shipment.gate_out.v1")
    gate_out = await gateway.http.post("/v1/events", json=out, headers=headers)
    assert (gate_in.status_code, gate_out.status_code) == (403, 202)


async def test_a_firm_cannot_report_events(gateway: Any) -> None:
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=gateway.firm() | CLOUDEVENT)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "json-malformed"),
        (b"{", "json-malformed"),
        (b"\xff\xfe{}", "json-malformed"),
        (b'{"id": NaN}', "json-malformed"),
        (b'{"id": 1, "id": 2}', "json-malformed"),
        (b'{"id": "\\ud800"}', "json-malformed"),
        (b'{"id": ' + b"9" * 5000 + b"}", "json-malformed"),
        (b"[" * 100_000, "json-too-deep"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "json-too-deep"),
        (b"[" * 100 + b"]" * 100, "json-too-deep"),
        (b'"text"', "invalid-event"),
        (b" " * (1024 * 1024 + 1), "too-large"),
    ],
)
async def test_hostile_bodies_get_a_clear_problem(gateway: Any, body: bytes, problem: str) -> None:
    answer = await gateway.http.post("/v1/events", content=body, headers=gateway.partner() | CLOUDEVENT)
    assert answer.json()["type"] == f"urn:trade:problem:{problem}"
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text
    assert gateway.documents.stored == {}


async def test_a_number_that_would_exhaust_memory_is_refused(gateway: Any) -> None:
    headers = gateway.partner("bank-x", "bank") | CLOUDEVENT
    event = gateway.an_event(type="trade.partners.payment.confirmed.v1")
    event["data"] |= {"amount": {"amount": "@", "currency": "CNY"}, "payment_reference": "P1"}
    sent = json.dumps(event).replace('"@"', "1E+399")
    answer = await gateway.http.post("/v1/events", content=sent, headers=headers)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/data/amount/amount", "field.too_precise")
    assert "38" in error["text"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/cloudevents+json; charset=gb18030"},
        CLOUDEVENT | {"Content-Encoding": "gzip"},
    ],
)
async def test_an_unsupported_media_type_is_refused(gateway: Any, headers: dict[str, str]) -> None:
    sent = json.dumps(gateway.an_event()).encode()
    answer = await gateway.http.post("/v1/events", content=sent, headers=gateway.partner() | headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:trade:problem:media-type-not-read")


async def test_fields_that_the_contract_does_not_have_are_listed(gateway: Any) -> None:
    event = gateway.an_event()
    event["data"] |= {"occured_at": "2026-01-05T09:00:00+08:00", "location": {"unlocode": "CNTAO", "gate": 7}}
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert sorted(answer.json()["not_read"]) == ["/data/location/gate", "/data/occured_at"]


async def test_the_partners_trace_is_continued_and_its_baggage_dropped(gateway: Any) -> None:
    event = gateway.an_event(traceparent=f"00-{'a' * 32}-{'b' * 16}-01", baggage="trade.ucr=forged")
    await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    trace = gateway.outbox.published[0]["trace"]
    assert "forged" not in json.dumps(trace)


async def test_a_full_outbox_refuses_submissions(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    gateway.overloaded = True
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:trade:problem:overloaded")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_full_outbox_does_not_refuse_queries(gateway: Any) -> None:
    gateway.overloaded = True
    assert (await gateway.http.get("/v1/receipts/nobody", headers=gateway.partner())).status_code == 404


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("no route to 10.0.0.1:27017"),
        NetworkTimeout("10.0.0.1:27017: timed out"),
        ServerSelectionTimeoutError("10.0.0.1:27017: no servers"),
        WaitQueueTimeoutError("10.0.0.1:27017: no connection became free"),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_an_unreachable_or_slow_database_is_reported_as_such(gateway: Any, error: Exception) -> None:
    async def away(_: Any) -> None:
        raise error

    gateway.originals.save = away
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=gateway.partner() | CLOUDEVENT)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:trade:problem:unavailable")
    assert answer.headers["retry-after"]
    assert "10.0.0.1" not in answer.text


@pytest.mark.parametrize("lost", ["bytes", "receipt"])
async def test_repeating_a_half_stored_submission_stores_the_other_half(
    gateway: Any, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionError("away")

    event, headers = json.dumps(gateway.an_event()).encode(), gateway.partner() | CLOUDEVENT
    with monkeypatch.context() as broken:
        if lost == "bytes":
            broken.setattr(gateway.originals, "save", away)
        else:
            broken.setattr(gateway.documents, "save", away)
        assert (await gateway.http.post("/v1/events", content=event, headers=headers)).status_code == 503
    assert (await gateway.http.post("/v1/events", content=event, headers=headers)).status_code == 202
    (stored,) = gateway.documents.stored.values()
    assert gateway.originals.stored[stored["state"]["original"]].body == event
    assert len(gateway.outbox.published) == 1


async def test_an_internal_error_shows_no_internals(gateway: Any) -> None:
    async def broken(_: Any) -> None:
        raise RuntimeError("secret inside")

    gateway.originals.save = broken
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=gateway.partner() | CLOUDEVENT)
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:trade:problem:internal")
    assert "secret" not in answer.text


async def test_a_key_over_its_rate_limit_gets_retry_after(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    answers = [await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers) for _ in range(101)]
    assert [each.status_code for each in answers[-2:]] == [202, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    await gateway.clock.advance(seconds=1)
    assert (await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)).status_code == 202


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v2/nothing", 404), ("DELETE", "/v1/events", 405)])
async def test_wrong_addresses_are_problems_too(gateway: Any, method: str, path: str, status: int) -> None:
    answer = await gateway.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
