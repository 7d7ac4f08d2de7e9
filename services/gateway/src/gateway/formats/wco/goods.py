"""Goods items of a WCO declaration.

Numbers of data elements are those of the customs data annexes: 6/14 commodity code, 4/14 price, 6/1 and 6/5 masses,
6/10 packages, 4/16 valuation method, 4/9 additions and deductions, 5/15 and 5/16 origin, 4/17 preference.
"""

from typing import Any
from xml.etree.ElementTree import Element

from contracts.gateway.v1 import ChargeCode
from gateway.formats.wco.reading import Reading
from values.numbers import is_digits

_TARIFF, _TARIC = "TSP", "TRC"
"""Classification types: the code of the Combined Nomenclature, and the two TARIC digits after it."""

_TARIFF_DIGITS = 8

_LONGEST_COUNT = 9
"""Maximum digits of a package count that fits a 32-bit integer."""

_CHARGES = frozenset(code.value for code in ChargeCode)

_NON_PREFERENTIAL, _PREFERENTIAL = "1", "2"
"""Types of origin."""

_NO_PREFERENCE = "1"
"""First digit of preference codes that claim no preference (the general rate)."""

_ORIGIN_PROOFS = ("N954", "N864", "N865", "N990", "U")
"""Document types that prove a preferential origin: movement certificates, invoice declarations, and the U series."""


def goods_items(reading: Reading) -> list[dict[str, Any]]:
    """All goods items, in document order."""
    items = reading.all(reading.declaration, "GoodsShipment/GovernmentAgencyGoodsItem")
    return [_item(reading, element, index) for index, element in enumerate(items, start=1)]


def _item(reading: Reading, element: Element, position: int) -> dict[str, Any]:
    commodity = reading.only(element, "Commodity")
    papers = documents(reading, element)
    preference = _preference(reading, commodity, papers)
    return {
        "number": reading.text(element, "SequenceNumeric") or position,
        "commodity_code": _commodity_code(reading, commodity),
        "description": reading.text(commodity, "Description"),
        "origin": _origin(reading, element, preferential=preference is not None),
        "preference": preference,
        "quantity": _quantity(reading, commodity),
        "gross_mass_kg": _kilograms(reading, commodity, "GoodsMeasure/GrossMassMeasure"),
        "net_mass_kg": _kilograms(reading, commodity, "GoodsMeasure/NetNetWeightMeasure"),
        "packages": _packages(reading, element),
        "package_kind": _package_kind(reading, element),
        "price": reading.money(commodity, "InvoiceLine/ItemChargeAmount"),
        "customs_value": reading.money(element, "CustomsValueAmount"),
        "statistical_value": reading.money(element, "StatisticalValueAmount"),
        "valuation_method": reading.text(element, "CustomsValuation/MethodCode"),
        "charges": charges(reading, element),
        "documents": papers,
    }


def _commodity_code(reading: Reading, commodity: Element | None) -> str:
    """Tariff code followed by the TARIC digits; empty if the declaration states none."""
    of: dict[str | None, list[Element]] = {}
    for classification in reading.all(commodity, "Classification"):
        of.setdefault(reading.peek(classification, "IdentificationTypeCode"), []).append(classification)
    tariff = _classified(reading, of.get(_TARIFF, []))
    return tariff + _classified(reading, of.get(_TARIC, [])) if len(tariff) == _TARIFF_DIGITS else tariff


def _classified(reading: Reading, alike: list[Element]) -> str:
    """The code of the only classification of a type."""
    if len(alike) > 1:
        reading.repeated(alike)
    for classification in alike:
        reading.text(classification, "IdentificationTypeCode")
        return reading.text(classification, "ID") or ""
    return ""


def _origin(reading: Reading, element: Element, *, preferential: bool) -> str | None:
    """The country that decides the rate: of preferential origin if claimed and stated, else of non-preferential origin.

    An origin without a type is non-preferential.
    """
    of: dict[str, list[Element]] = {}
    for origin in reading.all(element, "Origin"):
        of.setdefault(reading.peek(origin, "TypeCode") or _NON_PREFERENTIAL, []).append(origin)
    for alike in of.values():
        if len(alike) > 1:
            reading.repeated(alike)
    countries = {kind: reading.peek(alike[0], "CountryCode") for kind, alike in of.items()}
    country = (countries.get(_PREFERENTIAL) if preferential else None) or countries.get(_NON_PREFERENTIAL)
    for kind, (origin, *_) in of.items():
        if countries[kind] == country:
            reading.text(origin, "CountryCode")
            reading.text(origin, "TypeCode")
    return country


def _preference(reading: Reading, commodity: Element | None, papers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The claimed preference. A code that claims none is not carried, so it is listed as not read."""
    # It may be repeated for each tax, and must then be the same.
    regimes = reading.all(commodity, "DutyTaxFee/DutyRegimeCode")
    if len({each.text for each in regimes}) > 1:
        reading.repeated(regimes)
    code = next((each.text.strip() for each in regimes if each.text), "")
    if not code or code.startswith(_NO_PREFERENCE):
        return None
    for each in regimes:
        reading.take(each)
    proofs = (paper["number"] for paper in papers if str(paper["type"]).startswith(_ORIGIN_PROOFS))
    return {"code": code, "certificate": next(proofs, None)}


def _quantity(reading: Reading, commodity: Element | None) -> dict[str, Any] | None:
    """The statistical quantity, if it has a unit; without a unit it is not carried."""
    element = reading.only(commodity, "GoodsMeasure/TariffQuantity")
    if element is None or element.get("unitCode") is None:
        return None
    return {"value": reading.take(element), "unit": element.get("unitCode")}


def _kilograms(reading: Reading, commodity: Element | None, path: str) -> str | None:
    """A mass in kilograms; in another unit it is not carried, so it is listed as not read."""
    element = reading.only(commodity, path)
    if element is None or element.get("unitCode", "KGM") != "KGM":
        return None
    return reading.take(element)


def _packages(reading: Reading, element: Element) -> int | str | None:
    """The total number of packages; a text that is not a number is returned as it is, for validation to refuse."""
    counts = reading.texts(element, "Packaging/QuantityQuantity")
    if not counts:
        return None
    wrong = [count for count in counts if not is_digits(count) or len(count) > _LONGEST_COUNT]
    return wrong[0] if wrong else sum(map(int, counts))


def _package_kind(reading: Reading, element: Element) -> str | None:
    """The kind of packages, if all have the same."""
    kinds = {kind.text for kind in reading.all(element, "Packaging/TypeCode")}
    return reading.texts(element, "Packaging/TypeCode")[0] if len(kinds) == 1 and all(kinds) else None


def charges(reading: Reading, element: Element | None) -> list[dict[str, Any]]:
    """Additions and deductions at one level; one with a code that valuation does not use is listed as not read.

    `FreightChargeAmount` is not one of them: it is the cost of transport to the final destination.
    """
    found = []
    for charge in reading.all(element, "CustomsValuation/ChargeDeduction"):
        code = reading.peek(charge, "ChargesTypeCode")
        if code in _CHARGES:
            reading.text(charge, "ChargesTypeCode")
            found.append({"code": code, "amount": reading.money(charge, "OtherChargeDeductionAmount")})
    return found


def documents(reading: Reading, element: Element) -> list[dict[str, Any]]:
    """Documents, certificates and previous declarations at one level; `type` is category and type code."""
    found = []
    for name in ("AdditionalDocument", "PreviousDocument"):
        for paper in reading.all(element, name):
            kind = (reading.text(paper, "CategoryCode") or "") + (reading.text(paper, "TypeCode") or "")
            if kind:
                found.append({"type": kind, "number": reading.text(paper, "ID")})
    return found
