"""Values that pass the contract and would fail in later services are refused, by field name, and quickly."""

import contextlib
import json
import time
from typing import Any

import pytest

from chassis.delivery.records import RawRecord
from contracts.examples import example
from contracts.gateway.v1 import Mandate
from contracts.partners.v1 import EVENTS
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.formats.validation import validate
from gateway.partners.inbox import InboxHandler

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
JSON = {"Content-Type": "application/json"}
PORT = Owner(OwnerKind.PARTNER, "port-qd", "port")
TIMES = 100
"""Limit of CPU time relative to a plain body of the same size: well above normal, far below an attack's cost."""

UCR = "6CN91370200MB2F00QD1X-0001"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "/data/occurred_at", "field.out_of_range"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/data/occurred_at", "field.not_a_time"),
        ({"references": {"ucr": "a\x00b"}}, "/data/references/ucr", "field.text.control"),
        ({"references": {"ucr": "a\nb"}}, "/data/references/ucr", "field.text.control"),
        ({"references": {"ucr": "a\u202eb"}}, "/data/references/ucr", "field.text.hidden"),
        ({"references": {"ucr": "a\u200bb"}}, "/data/references/ucr", "field.text.hidden"),
        ({"references": {"ucr": "СHINA"}}, "/data/references/ucr", "field.text.mixed_scripts"),
        ({"references": {"container": "С SQU305438３"}}, "/data/references/container", "field.reference.not_ascii"),
        (
            {"references": {"transport_document": "D" * 300_000}},
            "/data/references/transport_document",
            "field.too_long",
        ),
        ({"location": {"facility": "\x1b[31m"}}, "/data/location/facility", "field.text.control"),
    ],
)
async def test_an_event_beyond_the_bounds_is_refused(
    gateway: Any, change: dict[str, Any], pointer: str, code: str
) -> None:
    event = gateway.an_event()
    event["data"] |= change
    answer = await gateway.http.post("/v1/events", json=event, headers=gateway.partner() | CLOUDEVENT)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
    assert gateway.documents.stored == {}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"total_packages": 2**63}, "/total_packages", "field.out_of_range"),
        ({"total_packages": -(10**100)}, "/total_packages", "field.out_of_range"),
        ({"transport": {"arrives_at": "9999-12-31T23:59:59-14:00"}}, "/transport/arrives_at", "field.not_a_time"),
        ({"lrn": "A\r\nBcc: x"}, "/lrn", "field.text.control"),
        ({"lrn": "A\U000e00411"}, "/lrn", "field.text.hidden"),
        ({"transport": {"containers": ["C1", "C\x002"]}}, "/transport/containers/1", "field.reference.not_ascii"),
        ({"transport": {"containers": ["C1", ""]}}, "/transport/containers/1", "field.reference.empty"),
    ],
)
async def test_a_declaration_beyond_the_bounds_is_refused(
    gateway: Any, change: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(**change), headers=gateway.firm())
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    ("amount", "currency", "field", "code"),
    [
        ("-0.01", "CNY", "amount", "field.money.negative"),
        ("1", "XXX", "currency", "field.money.currency"),
        ("1", "XAU", "currency", "field.money.currency"),
        ("705.5", "JPY", "amount", "field.money.decimals"),
    ],
)
@pytest.mark.parametrize("name", ["ticket_min", "ticket_max"])
def test_an_impossible_amount_is_refused_in_every_field(
    name: str, amount: str, currency: str, field: str, code: str
) -> None:
    terms = example(Mandate) | {
        each: {"amount": "1", "currency": "JPY"} for each in ("ticket_min", "ticket_max") if each != name
    }
    found, faults = validate(Mandate, terms | {name: {"amount": amount, "currency": currency}})
    assert found is None
    assert [(each.pointer, each.code) for each in faults] == [(f"/{name}/{field}", code)]


@pytest.mark.parametrize("type_", [type_ for type_, payload in EVENTS.items() if "amount" in payload.model_fields])
def test_a_negative_payment_is_refused(type_: str) -> None:
    reported = example(EVENTS[type_]) | {"amount": {"amount": "-1", "currency": "CNY"}}
    _, faults = validate(EVENTS[type_], reported)
    assert ("/amount/amount", "field.money.negative") in {(each.pointer, each.code) for each in faults}


async def test_money_of_a_declaration_is_left_to_the_declarations_service(gateway: Any) -> None:
    declaration = gateway.a_declaration(freight={"amount": "-1.5", "currency": "XXX"})
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert answer.status_code == 202


async def test_a_description_may_have_several_lines_in_any_script(gateway: Any) -> None:
    described = "Жесть\n镀锡板\tورق\u200cقلع\u00a0tin"
    goods = [gateway.a_declaration()["goods"][0] | {"description": described}]
    declaration = gateway.a_declaration(goods=goods)
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert answer.status_code == 202


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1E99999999999999999999", "1e20000"])
async def test_a_number_with_a_huge_exponent_is_refused_without_expanding_it(gateway: Any, number: str) -> None:
    async def lodge(packages: str) -> tuple[Any, float]:
        sent = json.dumps(gateway.a_declaration(total_packages="@")).replace('"@"', packages)
        started = time.process_time()
        answer = await gateway.http.post("/v1/declarations", content=sent, headers=gateway.firm() | JSON)
        return answer, time.process_time() - started

    _, plain = await lodge('"many"')
    answer, cost = await lodge(number)
    assert cost < TIMES * plain
    assert answer.status_code == 400
    assert [each["code"] for each in answer.json()["errors"]] == ["json.number"]


async def test_such_a_number_on_a_partners_topic_ends_in_quarantine(gateway: Any) -> None:
    gateway.partner()
    inbox = InboxHandler(Principal(PORT, ()), gateway.partners, gateway.receipts, gateway.quarantine, gateway.clock)
    await inbox.apply([RawRecord("inbox.port-qd", 0, 0, None, (), b"[1E99999999999999999999]", 1_767_600_000_000)])
    assert [each.problem for each in gateway.quarantine.stored.values()] == ["json-malformed"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{" + ",".join(f'"k{n}":1' for n in range(200_000)) + ',"k199999":2}', "json-malformed"),
        ('{"goods":[' + "1," * 1_000_000 + "1]}", "too-large"),
    ],
    ids=["a name twice among many", "a million wrong items"],
)
async def test_the_cost_of_a_body_is_bounded_by_its_size(gateway: Any, body: str, problem: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ValueError):
        json.loads(body)
    parsed = time.process_time()
    answer = await gateway.http.post("/v1/declarations", content=body, headers=gateway.firm() | JSON)
    assert time.process_time() - parsed < TIMES * (parsed - started)
    assert answer.json()["type"] == f"urn:trade:problem:{problem}"
