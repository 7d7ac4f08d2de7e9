"""Values in a WCO declaration: additions and deductions by code, stated values, and what is not read."""

from pathlib import Path
from typing import Any

import pytest

from contracts.gateway.v1 import ChargeCode, Declaration
from gateway.formats.wco import read

ORIGINALS = Path(__file__).resolve().parents[4] / "shared" / "data" / "wco" / "samples"

CHARGE = "<ChargeDeduction><ChargesTypeCode>{}</ChargesTypeCode>{}</ChargeDeduction>"
FIFTY = '<OtherChargeDeductionAmount currencyID="GBP">50</OtherChargeDeductionAmount>'
SHIPMENT = "/Declaration/GoodsShipment"


def document(header: str = "", item: str = "", goods: str = "") -> Any:
    return read(
        f"""<Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><FunctionCode>9</FunctionCode><TypeCode>IM</TypeCode>
        <GoodsShipment><CustomsValuation>{header}</CustomsValuation><GovernmentAgencyGoodsItem>{goods}
        <CustomsValuation>{item}</CustomsValuation></GovernmentAgencyGoodsItem></GoodsShipment></Declaration>""".encode()
    )


def test_additions_and_deductions_are_read_at_both_levels() -> None:
    found = document(CHARGE.format("AK", FIFTY), CHARGE.format("BC", FIFTY) + CHARGE.format("AI", FIFTY))
    fifty = {"amount": "50", "currency": "GBP"}
    assert found.fields["charges"] == [{"code": "AK", "amount": fifty}]
    assert found.fields["goods"][0]["charges"] == [{"code": "BC", "amount": fifty}, {"code": "AI", "amount": fifty}]
    assert found.not_read == ()


def test_a_charge_with_a_code_that_valuation_does_not_use_is_listed_as_not_read() -> None:
    found = document(CHARGE.format("ZZ", FIFTY), CHARGE.format("AV", FIFTY))
    charge = "CustomsValuation/ChargeDeduction"
    assert found.fields["charges"] == found.fields["goods"][0]["charges"] == []
    assert set(found.not_read) == {
        f"{place}/{charge}/{name}"
        for place in (SHIPMENT, f"{SHIPMENT}/GovernmentAgencyGoodsItem")
        for name in ("ChargesTypeCode", "OtherChargeDeductionAmount")
    }


@pytest.mark.parametrize("amount", ["", "<OtherChargeDeductionAmount/>"])
def test_a_charge_without_an_amount_is_not_a_charge_of_zero(amount: str) -> None:
    (charge,) = document(CHARGE.format("AK", amount)).fields["charges"]
    assert charge == {"code": "AK"}


def test_the_freight_to_the_final_destination_is_not_the_freight_to_the_border() -> None:
    found = document('<FreightChargeAmount currencyID="GBP">9</FreightChargeAmount>')
    assert "freight" not in found.fields
    assert found.not_read == (f"{SHIPMENT}/CustomsValuation/FreightChargeAmount",)


def test_a_statistical_value_is_read_and_an_empty_amount_is_absent() -> None:
    stated = document(goods='<StatisticalValueAmount currencyID="GBP">25</StatisticalValueAmount><CustomsValueAmount/>')
    (item,) = stated.fields["goods"]
    assert item["statistical_value"] == {"amount": "25", "currency": "GBP"}
    assert "customs_value" not in item
    nil = '<InvoiceLine><ItemChargeAmount currencyID="GBP" nil="true"/></InvoiceLine>'
    assert "price" not in document(goods=f"<Commodity>{nil}</Commodity>").fields["goods"][0]


@pytest.mark.parametrize(
    ("name", "header", "item"),
    [
        ("TT_IM004a/TT_IM004a.xml", [("AK", 50)], [("BC", 100)]),
        ("TT_IM043a/TT_IM043a.xml", [("AK", 50)], [("BT", 100)]),
        ("TT_IM048a/TT_IM048a.xml", [("AR", 1000)], []),
    ],
)
def test_charges_of_real_declarations_are_unchanged(
    name: str, header: list[tuple[str, int]], item: list[tuple[str, int]]
) -> None:
    path: Path = ORIGINALS / name
    if not path.exists():
        pytest.skip(f"the WCO sample documents are not at {ORIGINALS}")
    declaration = Declaration.model_validate({"ucr": "4CN000000000000000-1", **read(path.read_bytes()).fields})
    assert [(each.code.value, int(each.amount.amount)) for each in declaration.charges] == header
    assert [(each.code.value, int(each.amount.amount)) for each in declaration.goods[0].charges] == item
    assert {each.amount.currency for each in declaration.charges} == {"GBP"}


def test_the_codes_of_the_contract_begin_with_their_sign() -> None:
    assert {code.value[0] for code in ChargeCode} == {"A", "B"}
