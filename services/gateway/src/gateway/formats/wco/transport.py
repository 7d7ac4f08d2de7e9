"""Transport and goods location of a WCO declaration."""

import re
from collections.abc import Iterable
from typing import Any

from gateway.formats.wco.reading import Reading

_LOCODE = re.compile(r"[A-Z]{3}")
_BY_LOCODE = "U"
"""Qualifier of a goods location that is a UN/LOCODE followed by the facility within it."""

_TRANSPORT_DOCUMENTS = frozenset(
    {"703", "704", "705", "710", "714", "720", "722", "730", "740", "741", "750", "760", "785", "787", "952", "955"}
)
"""Type codes of transport documents (UN/EDIFACT 1001 and its customs additions)."""


def transport(reading: Reading, papers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Mode, means, document, location and containers; `papers` are all documents of the declaration."""
    declaration = reading.declaration
    consignment = reading.only(declaration, "GoodsShipment/Consignment")
    return {
        "mode": reading.text(declaration, "BorderTransportMeans/ModeCode"),
        "means": reading.text(declaration, "BorderTransportMeans/ID")
        or reading.text(consignment, "ArrivalTransportMeans/ID"),
        "document": next((paper["number"] for paper in papers if paper["type"][1:] in _TRANSPORT_DOCUMENTS), None),
        "location": _location(reading),
        "containers": list(dict.fromkeys(reading.texts(consignment, "TransportEquipment/ID"))),
    }


def _location(reading: Reading) -> dict[str, Any] | None:
    place = reading.only(reading.declaration, "GoodsShipment/Consignment/GoodsLocation")
    if place is None:
        return None
    facility = reading.text(place, "Name") or reading.text(place, "ID")
    country = reading.peek(place, "Address/CountryCode")
    qualifier = reading.peek(place, "Address/TypeCode")
    unlocode = None
    if qualifier == _BY_LOCODE and country and facility and _LOCODE.match(facility):
        unlocode = country + facility[:3]
        reading.text(place, "Address/CountryCode")
        reading.text(place, "Address/TypeCode")
    return {"unlocode": unlocode, "facility": facility}
