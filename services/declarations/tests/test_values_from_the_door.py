"""Values stated by a firm, from the gateway's contract to the assessment: stored, published, checked."""

from dataclasses import replace
from typing import Any

import pytest
from services.declarations.tests.declaration_builders import ARRIVED, LAW, NOW, answer, run

from chassis.aggregates.codec import dataclass_codec
from contracts.gateway.v1 import Declaration, DeclarationFunction, DeclarationSubmitted
from contracts.values import Identifier
from declarations.domain.state import State, Status
from declarations.messages import submission

BROKER = {"scheme": "CN-USCC", "value": "91370200MA3DEMX012"}


def money(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def item(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"number": number, "commodity_code": "721012", "description": "x", **changes}


def lodged(*goods: dict[str, Any], **changes: Any) -> Any:
    fields = {
        "lrn": "L-1",
        "ucr": "U-1",
        "direction": "import",
        "incoterm": "CIF",
        "parties": [{"role": role, "identifier": BROKER} for role in ("declarant", "importer")],
        "goods": goods,
        **changes,
    }
    payload = DeclarationSubmitted(
        receipt_id="R-1",
        received_at=NOW,
        firm=Identifier.model_validate(BROKER),
        function=DeclarationFunction.ORIGINAL,
        declaration=Declaration.model_validate(fields),
    )
    return submission(payload)


@pytest.mark.parametrize(
    ("command", "errors"),
    [
        (lodged(item()), [("declaration.value.missing", "/goods/0/price")]),
        (
            lodged(item(price=money("1.00")), item(2), total_price=money("10000")),
            [("declaration.value.missing", "/goods/1/price")],
        ),
        (lodged(item(price=money("1000", "KWD"))), [("declaration.currency.no_rate", "/goods/0/price/currency")]),
        (lodged(item(price=money("1000", "XXX"))), [("declaration.currency.unknown", "/goods/0/price/currency")]),
        (lodged(item(price=money("705.5", "JPY"))), [("declaration.currency.decimals", "/goods/0/price/amount")]),
    ],
    ids=["no_value_at_all", "an_item_without_a_price", "no_rate", "no_currency", "half_a_yen"],
)
def test_a_declaration_that_cannot_be_valued_is_rejected_at_lodging_by_name(command, errors):
    state, _ = run([command])
    assert state.status is Status.REJECTED
    assert [(error.code, error.pointer) for error in state.errors] == errors


def test_charges_and_statistical_values_are_stored_and_published_as_stated():
    charges = [{"code": "AK", "amount": money("50", "GBP")}, {"code": "BC", "amount": money("7")}]
    goods = (
        item(price=money("700"), charges=charges),
        item(2, statistical_value=money("25.50"), valuation_method="3"),
    )
    state, events = run([lodged(*goods, incoterm="FOB", charges=charges), answer(), ARRIVED])
    codec = dataclass_codec(State)
    assert codec.decode(codec.encode(state)) == state
    assert state.assessment is not None
    bases = {line.item: f"{line.base}" for line in state.assessment.lines if line.tax == "duty"}
    assert bases == {1: "1626.00", 2: "25.50"}
    assert events


def test_a_declaration_from_before_these_fields_is_read_without_them():
    command = lodged(item(price=money("1")))
    bare = replace(command.declaration.goods[0], charges=(), statistical_value=None)
    assert command.declaration == replace(command.declaration, goods=(bare,), charges=())
    assert run([command, answer(), ARRIVED], law=LAW)[0].assessment is not None
