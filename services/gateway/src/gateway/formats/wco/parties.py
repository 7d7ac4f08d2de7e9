"""Parties of a WCO declaration, by number. Names and addresses are not carried.

The scheme of a number is its `schemeID` attribute, if it has one. Otherwise the number is an EORI,
which begins with the two letters of the issuing country (Regulation (EU) 2015/2446, annex 12-01; the
United Kingdom kept the form), or a number of the country responsible for the document.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element

from gateway.formats.wco.reading import Reading
from values import identifiers

_PLACES = (
    ("declarant", "Declarant"),
    ("agent", "Agent"),
    ("importer", "GoodsShipment/Importer"),
    ("exporter", "Exporter"),
    ("exporter", "GoodsShipment/Exporter"),
    ("consignor", "GoodsShipment/Consignor"),
    ("consignor", "Consignment/Consignor"),
    ("consignee", "GoodsShipment/Consignee"),
    ("carrier", "Consignment/Carrier"),
    ("payer", "GoodsShipment/Payer"),
)

_EORI = re.compile(r"[A-Z]{2}[0-9A-Z]{1,15}")
_DIGIT = re.compile(r"[0-9]")


def identifier(element: Element, value: str, responsible: str | None) -> dict[str, Any]:
    """Scheme and value of a party's number."""
    scheme = element.get("schemeID")
    compact = identifiers.compact(value)
    if scheme is None and _EORI.fullmatch(compact) and _DIGIT.search(compact[2:]):
        scheme = f"{compact[:2]}-EORI"
    if scheme is None and responsible:
        scheme = f"{responsible}-EORI"
    return {"scheme": scheme, "value": compact}


def parties(reading: Reading, responsible: str | None) -> list[dict[str, Any]]:
    """All parties with a number, without repeats of role and number."""
    found: list[dict[str, Any]] = []
    for role, place in _PLACES:
        for element in reading.all(reading.declaration, f"{place}/ID"):
            value = reading.take(element)
            if value is None:
                continue
            party = {"role": role, "identifier": identifier(element, value, responsible)}
            if party not in found:
                found.append(party)
    return found
