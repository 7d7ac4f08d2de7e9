"""Submissions of firms: declarations as JSON and as WCO documents, projects, mandates; and their views of them."""

import asyncio
import json
import threading
from typing import Any

import pytest

from contracts.texts import text
from gateway.domain.outcome import Step
from gateway.formats import wco
from values.identifiers import Identifier
from values.references import Lrn, declaration_id

USCC = "CN-USCC:91370200MB2F00QD1X"
XML = {"Content-Type": "application/xml"}
WCO = """<?xml version="1.0" encoding="UTF-8"?>
<!-- {comment} -->
<m:MetaData xmlns:m="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
<m:WCODataModelVersionCode>3.6</m:WCODataModelVersionCode><m:WCOTypeName>DEC</m:WCOTypeName>
<Declaration><FunctionCode>9</FunctionCode><FunctionalReferenceID>L-9</FunctionalReferenceID>
<TypeCode>IMA</TypeCode><Declarant><ID>GB603202734852</ID></Declarant><Exporter><Name>{name}</Name></Exporter>
<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><Classification>
<ID>85434000</ID><IdentificationTypeCode>TSP</IdentificationTypeCode></Classification></Commodity>
</GovernmentAgencyGoodsItem></GoodsShipment></Declaration></m:MetaData>"""


async def test_a_declaration_is_kept_and_gets_a_reference(gateway: Any) -> None:
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=gateway.firm())
    assert answer.status_code == 202
    fields = answer.json()
    assert fields["ucr"].startswith("6CN91370200MB2F00QD1X-")
    assert len(fields["ucr"]) <= 35
    (published,) = gateway.outbox.published
    payload = json.loads(published["data"])
    assert published["type"] == "trade.gateway.declaration.submitted.v1"
    assert payload["receipt_id"] == fields["id"]
    assert payload["firm"] == {"scheme": "CN-USCC", "value": "91370200MB2F00QD1X"}
    assert payload["declaration"]["ucr"] == fields["ucr"] == gateway.documents.stored[fields["id"]]["key"]
    assert payload["declaration"]["goods"][0]["price"]["amount"] == "2000.00"


async def test_a_given_reference_is_kept(gateway: Any) -> None:
    declaration = gateway.a_declaration(ucr="6CN91370200MB2F00QD1X-0007")
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert answer.json()["ucr"] == "6CN91370200MB2F00QD1X-0007"


async def test_a_correction_without_a_reference_keeps_the_first_reference(gateway: Any) -> None:
    _, made = await _lodged(gateway)
    await gateway.clock.advance(days=400)
    _, corrected = await _lodged(gateway, currency="USD")
    assert corrected["id"] != made["id"]
    assert corrected["ucr"] == made["ucr"]
    _, given = await _lodged(gateway, lrn="L-0002", ucr="6CN91370200MB2F00QD1X-0007")
    _, corrected = await _lodged(gateway, lrn="L-0002", currency="USD")
    assert corrected["ucr"] == given["ucr"]


async def test_other_requests_are_answered_while_a_document_is_read(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, read = threading.Event(), wco.read

    def slowly(body: bytes, charset: str) -> wco.WcoDeclaration:
        assert answered.wait(timeout=20), "no other request was answered in the meantime"
        return read(body, charset)

    monkeypatch.setattr(wco, "read", slowly)
    document = WCO.format(comment="", name="Exporter").encode()
    slow = asyncio.create_task(
        gateway.http.post("/v1/declarations", content=document, headers={**gateway.firm(), **XML})
    )
    await asyncio.sleep(0)
    other = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=gateway.firm())
    answered.set()
    assert other.status_code == 202
    assert (await slow).json()["type"] == "urn:trade:problem:not-a-party"


async def test_a_declaration_without_an_own_id_is_identified_by_its_content(gateway: Any) -> None:
    headers = gateway.firm()
    first = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    await gateway.clock.advance(days=400)
    again = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    assert (again.json()["duplicate"], again.json()["id"], again.json()["ucr"]) == (
        True,
        first.json()["id"],
        first.json()["ucr"],
    )
    other = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(currency="USD"), headers=headers)
    correction = await gateway.http.post(
        "/v1/declarations", params={"function": "correction"}, json=gateway.a_declaration(), headers=headers
    )
    assert len({each.json()["id"] for each in (first, other, correction)}) == 3
    assert json.loads(gateway.outbox.published[-1]["data"])["function"] == "correction"


async def test_an_own_id_with_other_content_is_a_conflict(gateway: Any) -> None:
    headers = gateway.firm() | {"Idempotency-Key": "my-1"}
    first = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    again = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    other = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(currency="USD"), headers=headers)
    assert (first.status_code, again.json()["duplicate"], other.status_code) == (202, True, 422)
    assert other.json()["type"] == "urn:trade:problem:submission-conflict"


async def test_a_firm_lodges_as_declarant_or_as_named_agent(gateway: Any) -> None:
    agent = {"role": "agent", "identifier": {"scheme": "KZ-BIN", "value": "190540000014"}}
    parties = [*gateway.a_declaration()["parties"], agent]
    by_agent = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(parties=parties), headers=gateway.firm("KZ-BIN:190540000014")
    )
    by_importer = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(), headers=gateway.firm("CN-USCC:91110000100000000A")
    )
    assert by_agent.status_code == 202
    assert (by_importer.status_code, by_importer.json()["type"]) == (403, "urn:trade:problem:not-a-party")
    assert by_importer.json()["errors"][0]["pointer"] == "/parties"


async def test_a_declaration_without_a_declarant_is_refused(gateway: Any) -> None:
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(parties=[]), headers=gateway.firm())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "declaration.no_declarant"


async def test_faults_of_a_declaration_carry_pointers(gateway: Any) -> None:
    goods = [{"number": 0, "commodity_code": "1", "price": {"amount": "much", "currency": "CNY"}}]
    declaration = gateway.a_declaration(goods=goods, direction="sideways")
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm())
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/direction",
        "/goods/0/number",
        "/goods/0/price/amount",
    }


async def test_a_charge_of_an_unknown_code_is_refused_by_name(gateway: Any) -> None:
    charges = [{"code": "ZZ", "amount": {"amount": "1", "currency": "CNY"}}]
    answer = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(charges=charges), headers=gateway.firm()
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/charges/0/code"]


async def test_a_wco_document_is_lodged_and_unread_elements_are_listed(gateway: Any) -> None:
    headers = gateway.firm("GB-EORI:GB603202734852") | XML
    sent = WCO.format(name="Boston Co", comment="first").encode()
    answer = await gateway.http.post("/v1/declarations", content=sent, headers=headers)
    assert answer.status_code == 202
    assert answer.json()["not_read"] == ["/Declaration/TypeCode", "/Declaration/Exporter/Name"]
    assert "Boston" not in gateway.outbox.published[0]["data"]
    original = await gateway.http.get(f"{answer.json()['status_url']}/original", headers=headers)
    assert (original.content, original.headers["content-type"]) == (sent, "application/xml")


async def test_comments_do_not_make_another_document_but_unread_elements_do(gateway: Any) -> None:
    headers = gateway.firm("GB-EORI:GB603202734852") | XML

    async def lodge(**fields: str) -> Any:
        content = WCO.format(**{"name": "Boston Co", "comment": "first", **fields})
        return (await gateway.http.post("/v1/declarations", content=content, headers=headers)).json()

    first = await lodge()
    assert (await lodge(comment="second"))["duplicate"] is True
    assert (await lodge(name="Another Co"))["id"] != first["id"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<a>", "xml-malformed"),
        (b"<html/>", "wco-not-a-declaration"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml-hostile"),
        (b"<a>" * 5000, "xml-too-deep"),
        (b" " * (4 * 1024 * 1024 + 1), "too-large"),
    ],
)
async def test_hostile_documents_get_a_clear_problem(gateway: Any, body: bytes, problem: str) -> None:
    answer = await gateway.http.post("/v1/declarations", content=body, headers=gateway.firm() | XML)
    assert answer.json()["type"] == f"urn:trade:problem:{problem}"
    assert gateway.documents.stored == {}


async def test_projects_and_mandates_are_stored(gateway: Any) -> None:
    money = {"amount": "1000000", "currency": "USD"}
    project = {
        "reference": "P1",
        "title": "Cold store",
        "country": "KZ",
        "sector": "5210",
        "stage": "feasibility",
        "sought": money,
        "instruments": ["equity"],
    }
    mandate = {
        "reference": "M1",
        "title": "Logistics",
        "ticket_min": money,
        "ticket_max": money,
        "sectors": ["H"],
        "countries": [],
        "instruments": ["equity"],
    }
    for path, fields in (("/v1/projects", project), ("/v1/mandates", mandate)):
        headers = gateway.firm()
        answer = await gateway.http.post(path, json=fields, headers=headers)
        assert answer.status_code == 202
        receipt = await gateway.http.get(answer.json()["status_url"], headers=headers)
        assert receipt.json()["status"] == "received"
        assert receipt.json()["reference"] == fields["reference"]
        assert (await gateway.http.post(path, json={}, headers=headers)).status_code == 422
    assert gateway.outbox.types() == ["trade.gateway.project.submitted.v1", "trade.gateway.mandate.submitted.v1"]


@pytest.mark.parametrize("path", ["/v1/declarations", "/v1/projects", "/v1/mandates"])
async def test_submitting_needs_its_own_scope(gateway: Any, path: str) -> None:
    for headers in (gateway.firm(USCC, "nothing"), gateway.partner()):
        answer = await gateway.http.post(path, json=gateway.a_declaration(), headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:trade:problem:scope-missing")


async def _lodged(gateway: Any, **overrides: Any) -> tuple[dict[str, str], dict[str, Any]]:
    headers = gateway.firm()
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(**overrides), headers=headers)
    return headers, answer.json()


def _steps(*facts: tuple[str, str, dict[str, Any]]) -> list[Step]:
    return [
        Step(f"D-1/0.{number}", number, fact, "2026-01-05T08:00:00+00:00", receipt, details)
        for number, (fact, receipt, details) in enumerate(facts, start=1)
    ]


async def test_a_receipt_shows_the_outcome_of_the_declaration(gateway: Any) -> None:
    headers, lodged = await _lodged(gateway)
    before = (await gateway.http.get(lodged["status_url"], headers=headers)).json()
    assert before["status"] == "received"
    id_ = declaration_id(Identifier.parse(USCC), Lrn("L-0001"))
    errors = [{"code": "no.such.text", "pointer": "/goods/0/gross_mass_kg"}]
    steps = _steps(("submitted", lodged["id"], {}), ("rejected", lodged["id"], {"errors": errors}))
    await gateway.outcomes.note((id_, step) for step in steps)
    after = (await gateway.http.get(lodged["status_url"], headers=headers)).json()
    assert after["status"] == "rejected"
    assert after["declaration"]["errors"][0]["pointer"] == "/goods/0/gross_mass_kg"


async def test_each_receipt_of_a_declaration_shows_its_own_outcome(gateway: Any) -> None:
    headers, first = await _lodged(gateway)
    _, second = await _lodged(gateway, currency="USD")
    _, third = await _lodged(gateway, currency="EUR")
    steps = _steps(
        ("submitted", first["id"], {}),
        ("rejected", first["id"], {"errors": []}),
        ("submitted", second["id"], {}),
        ("accepted", "", {"number": "422720261000000018"}),
        ("submission_refused", third["id"], {"errors": []}),
        ("released", "", {}),
    )
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    seen = [(await gateway.http.get(each["status_url"], headers=headers)).json() for each in (first, second, third)]
    assert [each["status"] for each in seen] == ["rejected", "released", "submission_refused"]
    whole = (await gateway.http.get(f"/v1/declarations/{first['declaration_id']}", headers=headers)).json()
    assert (whole["state"], whole["declaration_number"]) == ("released", "422720261000000018")
    assert len(whole["receipts"]) == 3
    by_receipt = await gateway.http.get(f"/v1/declarations/{first['id']}", headers=headers)
    assert by_receipt.json() == whole


SUM: dict[str, Any] = {
    "code": "declaration.gross_mass.sum",
    "pointer": "/total_gross_mass_kg",
    "value": "5",
    "parameters": {"sum": "7.50"},
}
IN_USE: dict[str, Any] = {
    "code": "declaration.lrn.in_use",
    "pointer": "/lrn",
    "value": "L-0001",
    "parameters": {"status": "assessed"},
}


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [("zh-CN", "zh"), ("tg, ru;q=0.8, en;q=0.5", "ru"), ("en-GB", "en"), ("fr", "en"), (None, "en")],
)
async def test_a_receipt_shows_its_errors_in_the_readers_language(
    gateway: Any, accepted: str | None, lang: str
) -> None:
    headers, rejected = await _lodged(gateway)
    _, refused = await _lodged(gateway, currency="USD")
    steps = _steps(
        ("submitted", rejected["id"], {}),
        ("rejected", rejected["id"], {"errors": [SUM]}),
        ("submission_refused", refused["id"], {"errors": [IN_USE]}),
    )
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    asked = headers | ({"Accept-Language": accepted} if accepted else {})
    for receipt, status, error in ((rejected, "rejected", SUM), (refused, "submission_refused", IN_USE)):
        seen = (await gateway.http.get(receipt["status_url"], headers=asked)).json()
        assert (seen["status"], seen["declaration"]["state"]) == (status, status)
        words = text(error["code"], lang, **error["parameters"])
        assert seen["declaration"]["errors"] == [{**error, "text": words}]


async def test_a_receipt_shows_the_warnings_of_its_declaration_in_the_readers_language(gateway: Any) -> None:
    headers, lodged = await _lodged(gateway, incoterm="DDU")
    old: dict[str, Any] = {
        "code": "declaration.incoterm.old",
        "pointer": "/incoterm",
        "value": "DDU",
        "parameters": {"present": "DAP"},
    }
    steps = _steps(("submitted", lodged["id"], {"warnings": [old]}), ("prelodged", "", {}))
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    seen = (await gateway.http.get(lodged["status_url"], headers=headers | {"Accept-Language": "ru"})).json()
    assert seen["status"] == "prelodged"
    assert seen["declaration"]["warnings"] == [{**old, "text": text(old["code"], "ru", present="DAP")}]
    assert "DAP" in seen["declaration"]["warnings"][0]["text"]
    assert "errors" not in seen["declaration"]


async def test_a_refused_submission_does_not_hide_the_state_of_the_declaration(gateway: Any) -> None:
    headers, first = await _lodged(gateway)
    _, second = await _lodged(gateway, currency="USD")
    steps = _steps(
        ("submitted", first["id"], {}),
        ("rejected", first["id"], {"errors": [SUM]}),
        ("submission_refused", second["id"], {"errors": [IN_USE]}),
    )
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    whole = (await gateway.http.get(f"/v1/declarations/{first['declaration_id']}", headers=headers)).json()
    assert whole["state"] == "rejected"
    assert [error["code"] for error in whole["errors"]] == [SUM["code"]]
    assert whole["steps"][-1]["fact"] == "submission_refused"


async def test_a_missing_text_never_fails_an_answer(gateway: Any) -> None:
    headers, lodged = await _lodged(gateway)
    odd = SUM | {"parameters": {"code": "x", "language": "y"}}
    steps = _steps(("submitted", lodged["id"], {}), ("rejected", lodged["id"], {"errors": [odd]}))
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    answer = await gateway.http.get(lodged["status_url"], headers=headers)
    assert (answer.status_code, answer.json()["declaration"]["errors"][0]["text"]) == (200, SUM["code"])


async def test_a_self_declared_agent_sees_only_the_outcome_of_its_own_submission(gateway: Any) -> None:
    headers, lodged = await _lodged(gateway)
    stranger = "KZ-BIN:190540000014"
    number = {"scheme": "KZ-BIN", "value": "190540000014"}
    parties = [*gateway.a_declaration()["parties"], {"role": "agent", "identifier": number}]
    taken = await gateway.http.post(
        "/v1/declarations", json=gateway.a_declaration(parties=parties), headers=gateway.firm(stranger)
    )
    pushed_in = taken.json()
    assert pushed_in["ucr"] != lodged["ucr"]
    steps = _steps(
        ("submitted", lodged["id"], {}),
        ("accepted", "", {"number": "422720261000000018"}),
        ("submission_refused", pushed_in["id"], {"errors": [IN_USE]}),
        ("assessed", "", {"total": {"amount": "655000.00", "currency": "CNY"}}),
    )
    await gateway.outcomes.note((declaration_id(Identifier.parse(USCC), Lrn("L-0001")), step) for step in steps)
    for id_ in (lodged["declaration_id"], lodged["id"], pushed_in["id"]):
        seen = (await gateway.http.get(f"/v1/declarations/{id_}", headers=gateway.firm(stranger))).json()
        assert [step["fact"] for step in seen["steps"]] == ["submission_refused"]
        assert (seen["state"], seen["receipts"]) == ("submission_refused", [pushed_in["id"]])
        assert lodged["ucr"] not in str(seen)
    whole = (await gateway.http.get(f"/v1/declarations/{lodged['id']}", headers=headers)).json()
    assert [step["fact"] for step in whole["steps"]] == [step.fact for step in steps]


async def test_a_firm_sees_only_its_own(gateway: Any) -> None:
    _, lodged = await _lodged(gateway)
    stranger = gateway.firm("KZ-BIN:190540000014")
    for path in (
        lodged["status_url"],
        f"{lodged['status_url']}/original",
        f"/v1/declarations/{lodged['declaration_id']}",
    ):
        absent = await gateway.http.get(path.replace(lodged["id"], "DC-0"), headers=stranger)
        theirs = await gateway.http.get(path, headers=stranger)
        assert (theirs.status_code, theirs.json()["detail"]) == (404, absent.json()["detail"])


async def test_a_principal_sees_what_its_agent_lodged(gateway: Any) -> None:
    agent = {"role": "agent", "identifier": {"scheme": "KZ-BIN", "value": "190540000014"}}
    declaration = gateway.a_declaration(parties=[*gateway.a_declaration()["parties"], agent])
    answer = await gateway.http.post("/v1/declarations", json=declaration, headers=gateway.firm("KZ-BIN:190540000014"))
    seen = await gateway.http.get(answer.json()["status_url"], headers=gateway.firm())
    assert seen.status_code == 200
