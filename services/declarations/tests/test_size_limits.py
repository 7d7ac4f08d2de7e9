"""Every submission that the gateway accepts fits all later limits: events, outbox and document."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    NOW,
    QINGDAO,
    SELLER,
    UCR,
    an_item,
    answer,
    in_lane,
    lodge,
    run,
)

from chassis.aggregates import Applied, Input
from chassis.aggregates.change import write
from chassis.aggregates.deciding import Deciding
from chassis.aggregates.document import Loaded
from chassis.aggregates.mongo import _check_size
from chassis.testing import ManualClock
from contracts import limits
from contracts.gateway.v1 import Declaration, DeclarationSubmitted
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.texts import text
from contracts.topics import MAX_EVENT_BYTES
from declarations.aggregate import declaration_type
from declarations.domain import size_limits
from declarations.domain.commands import Command
from declarations.domain.events import Assessed, Rejected
from declarations.domain.state import AssessmentLine, Lane, RuleError, State
from declarations.messages import claim, submission

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
MAX_TEXT = 2_000
"""Maximum characters of a string that the gateway accepts."""
CHARGES = ("AB", "AK", "BA")
FILLS = ("x", "中", '"', "😀")


def submitted(**fields: Any) -> DeclarationSubmitted:
    plain = {
        "lrn": "QD-2026-0001",
        "ucr": str(UCR),
        "direction": "import",
        "customs_office": "4258",
        "incoterm": "CIF",
        "currency": "CNY",
        "parties": [
            {"role": role, "identifier": {"scheme": of.scheme, "value": of.value}}
            for role, of in (("declarant", QINGDAO), ("importer", QINGDAO), ("exporter", SELLER))
        ],
    }
    return DeclarationSubmitted(
        receipt_id="R-1",
        received_at=NOW,
        firm={"scheme": QINGDAO.scheme, "value": QINGDAO.value},
        function="original",
        declaration=Declaration.model_validate(plain | fields),
    )


def an_import(items: int, fill: str, length: int, *, wrong: bool, documents: int, parties: int = 0) -> Any:
    """A declaration with texts of this length; a wrong one breaks as many rules per item as possible."""
    goods = []
    for number in range(1, items + 1):
        item: dict[str, Any] = {
            "number": 1 if wrong else number,
            "commodity_code": "7700" if wrong else "2603000010",
            "description": fill * min(length, 1_000),
            "origin": fill * max(1, min(length, MAX_TEXT)) if wrong else "KZ",
            "gross_mass_kg": "-1" if wrong else "1234567890123.123456789012345678901234",
            "net_mass_kg": "12.5",
            "packages": -1 if wrong else 12,
            "price": {"amount": "-5" if wrong else "99999999999.12", "currency": "CNY"},
            "valuation_method": fill * max(1, min(length, MAX_TEXT)) if wrong else "1",
            "documents": [{"type": "N380", "number": fill * min(length, 80)} for _ in range(documents)],
        }
        if not wrong:  # each is part of the formula of the item's value
            item["charges"] = [{"code": code, "amount": {"amount": "123456.78", "currency": "USD"}} for code in CHARGES]
        if wrong:
            item["customs_value"] = {"amount": "-5", "currency": "QQQ"}
        goods.append(item)
    more = [{"role": "carrier", "identifier": {"scheme": SELLER.scheme, "value": SELLER.value}}] * parties
    made = submitted(goods=goods)
    if parties:
        carriers = Declaration.model_validate(made.declaration.model_dump() | {"parties": more}).parties
        declaration = made.declaration.model_copy(update={"parties": (*made.declaration.parties, *carriers)})
        made = made.model_copy(update={"declaration": declaration})
    return made


def fullest(items: int, fill: str, **rest: Any) -> DeclarationSubmitted | None:
    """The submission with the longest texts that the gateway accepts; None if it accepts none."""
    low, high = -1, MAX_TEXT
    while low < high:
        length = (low + high + 1) // 2
        if limits.exceeded(an_import(items, fill, length, **rest)) is None:
            low = length
        else:
            high = length - 1
    return None if low < 0 else an_import(items, fill, low, **rest)


def drive(commands: Sequence[Command]) -> Loaded[State]:
    """Apply commands to one document as the chassis does, checking all its size limits and the database's."""
    law = in_lane(Lane.GREEN)
    type_ = declaration_type(law)
    deciding = Deciding(type_, ManualClock(NOW), 0)
    loaded: Loaded[State] = Loaded("D-1")
    inputs = [
        Input(target="D-1", cause=f"C-{number}", command=each, actor="test") for number, each in enumerate(commands)
    ]
    for outcome in deciding.fold(loaded, inputs, "token"):
        assert isinstance(outcome, Applied), outcome
    change = write(type_, loaded, acknowledged=0)
    _check_size(change)
    document = {"state": change.fields, "outbox": change.outbox, "history": change.lines}
    assert len(bson.encode(document)) < MAX_DOCUMENT_BYTES
    return loaded


def of_type(loaded: Loaded[State], fact: str) -> list[Any]:
    return [entry for entry in loaded.new_entries if entry["type"] == f"trade.declarations.declaration.{fact}.v1"]


@settings(max_examples=6, deadline=None)
@given(
    items=st.sampled_from([1, 7, 100, 400, 999]),
    fill=st.sampled_from(FILLS),
    documents=st.sampled_from([0, 1, 9]),
    parties=st.sampled_from([0, 100, 150]),
)
def test_every_accepted_submission_can_be_lodged_accepted_and_assessed(
    items: int, fill: str, documents: int, parties: int
) -> None:
    made = fullest(items, fill, wrong=False, documents=documents, parties=parties)
    if made is None:
        return
    loaded = drive([submission(made), answer(), ARRIVED])
    assert len(of_type(loaded, "assessed")) == 1


@settings(max_examples=6, deadline=None)
@given(items=st.sampled_from([1, 100, 400, 999]), fill=st.sampled_from(FILLS), documents=st.sampled_from([0, 3]))
def test_every_accepted_submission_can_be_rejected_for_every_rule_and_corrected(
    items: int, fill: str, documents: int
) -> None:
    made = fullest(items, fill, wrong=True, documents=documents)
    if made is None:
        return
    wrong = submission(made)
    loaded = drive([wrong, *(replace(wrong, receipt_id=f"R-{number}") for number in range(2, 6))])
    assert len(of_type(loaded, "rejected")) == 5


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("items", [1, 400, 999])
def test_the_gateway_accepts_as_much_as_it_documents(items: int, wrong: bool) -> None:
    assert fullest(items, "x", wrong=wrong, documents=0) is not None


def test_999_short_items_keep_every_line_and_5000_do_not_pass() -> None:
    made = an_import(999, "x", 1, wrong=False, documents=0)
    assert limits.exceeded(made) is None
    (assessed,) = of_type(drive([submission(made), answer(), ARRIVED]), "assessed")
    assert assessed["data"].count('"tax":"vat"') == 999
    over = limits.exceeded(an_import(5_000, "x", 1, wrong=False, documents=0))
    assert over == ("items", "/goods", 999, 5_000)


def test_an_accepted_event_can_be_noted_with_the_maximum_of_parties() -> None:
    made = an_import(1, "x", 1, wrong=False, documents=0, parties=150)
    event = PARTNER_EVENTS["trade.partners.control.documents_requested.v1"].model_validate(
        {
            "classifier": "ACT",
            "occurred_at": NOW,
            "received_at": NOW,
            "publisher": "customs",
            "publisher_role": "customs",
            "submission_id": "1",
            "references": {"ucr": str(UCR)},
            "documents": ["中" * 2_000] * 10,
        }
    )
    assert limits.exceeded(event) is None
    assert limits.exceeded(event.model_copy(update={"documents": ("中" * 2_000,) * 11})) is not None
    noting = claim("E-1", "trade.partners.control.documents_requested.v1", event)
    commands: list[Command] = [replace(noting, claim=replace(noting.claim, event_id=f"E-{n}")) for n in range(100)]
    drive([submission(made), answer(), *commands])


def test_the_last_error_gives_the_number_of_errors_left_out() -> None:
    found = [RuleError("declaration.country.unknown", f"/goods/{n}/origin", "x" * 500) for n in range(250)]
    told = size_limits.errors(found)
    assert len(told) == 100
    assert told[-1] == RuleError("declaration.errors.more", "", parameters={"count": "151"})
    assert told[0].value == "x" * 199 + "…"
    assert "151" in text("declaration.errors.more", "zh", **told[-1].parameters)
    assert size_limits.errors(found[:100])[-1].pointer == "/goods/99/origin"


def test_formulas_are_shortened_only_if_necessary() -> None:
    line = AssessmentLine(1, "duty", Decimal("100.00"), Decimal("0.050"), "f" * 600, Decimal("5.00"))
    assert size_limits.lines([line] * 1_000) == (line,) * 1_000
    assert {each.formula for each in size_limits.lines([line] * 1_998)} == {"100.00 × 5 % = 5.00"}


def test_limited_errors_and_lines_are_published_unchanged() -> None:
    goods = tuple(an_item(number=number, origin="??") for number in range(1, 201))
    _, events = run([lodge(replace(lodge().declaration, goods=goods))])
    assert isinstance(events[-1], Rejected)
    assert len(events[-1].errors) == size_limits.ERRORS_TOLD
    _, events = run([lodge(), answer(), ARRIVED])
    assert any(isinstance(each, Assessed) for each in events)


def test_the_domain_uses_the_limits_of_the_gateway() -> None:
    names = ("ERRORS_TOLD", "WARNINGS_TOLD", "VALUE_SHOWN", "LINES_BYTES")
    assert {name: getattr(size_limits, name) for name in names} == {name: getattr(limits, name) for name in names}
    facts = limits.FACT_BYTES
    assert limits.LINES_BYTES + facts < MAX_EVENT_BYTES
    assert limits.ERRORS_TOLD * limits.ERROR_BYTES + facts < MAX_EVENT_BYTES
    assert limits.PARTNER_EVENT_BYTES + facts < MAX_EVENT_BYTES
