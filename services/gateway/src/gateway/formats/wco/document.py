"""Reads a WCO declaration document into the structure of the contract.

Accepted: originals (`FunctionCode` 9) of import and export. Amendments, cancellations, presentations,
answers of an administration and other documents are refused, naming the element that identifies them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from gateway.domain.faults import Fault, Refused
from gateway.formats.validation import MAX_FAULTS
from gateway.formats.wco.encoding import decoded
from gateway.formats.wco.goods import charges, documents, goods_items
from gateway.formats.wco.parties import parties
from gateway.formats.wco.reading import Reading
from gateway.formats.wco.transport import transport
from gateway.formats.wco.xml import is_wco, local, parse

_DECLARATION_TYPE = "DEC"
_VERSION = "3."
_ORIGINAL = "9"
_UCR_DOCUMENT = "DCR"
"""Type of the previous document whose number is the declaration's UCR."""
_WHOLE_TYPES = ("IM", "EX")
"""Types that give only the direction."""
_PROCEDURE = ("CurrentCode", "PreviousCode")
_OUTWARD = ("1", "2", "3")
"""First digits of requested procedures by which goods leave the territory."""


@dataclass(frozen=True, slots=True)
class WcoDeclaration:
    """The result of reading a document."""

    fields: dict[str, Any]
    """In the structure of `contracts.gateway.v1.Declaration`, not validated; `ucr` is None if absent."""
    not_read: tuple[str, ...]
    """Paths of elements with content that is not carried."""
    text: str
    """The decoded document."""


def read(body: bytes, charset: str = "") -> WcoDeclaration:
    """Read one document.

    Args:
        charset: of its media type; empty if it has none.

    Raises:
        Refused: it is not well-formed, hostile, not a WCO declaration, of an unsupported function, or ambiguous.
    """
    text = decoded(body, charset)
    root = parse(text)
    element = _declaration(root)
    reading = Reading(element)
    _check_function(reading)
    fields = _without_absent(_fields(reading, _metadata(root, "ResponsibleCountryCode")))
    if reading.faults:
        raise Refused("invalid-declaration", reading.faults[:MAX_FAULTS])
    return WcoDeclaration(fields, reading.not_read(), text)


def _declaration(root: Element) -> Element:
    """The only declaration in a document, within any envelope."""
    kind = _metadata(root, "WCOTypeName")
    if kind not in (None, _DECLARATION_TYPE):
        raise Refused("wco-not-a-declaration", [Fault("wco.type", "/MetaData/WCOTypeName", {"found": kind}, kind)])
    version = _metadata(root, "WCODataModelVersionCode")
    if version is not None and not version.startswith(_VERSION):
        pointer = "/MetaData/WCODataModelVersionCode"
        raise Refused("wco-not-a-declaration", [Fault("wco.version", pointer, {"found": version}, version)])
    found = [element for element in root.iter() if local(element) == "Declaration" and is_wco(element)]
    if len(found) != 1:
        fault = Fault("wco.no_declaration", f"/{local(root)}", {"found": len(found)})
        raise Refused("wco-not-a-declaration", [fault])
    return found[0]


def _metadata(root: Element, name: str) -> str | None:
    """A field of the document's meta data."""
    for element in root.iter():
        if local(element) == name and is_wco(element):
            return (element.text or "").strip() or None
    return None


def _check_function(reading: Reading) -> None:
    function = reading.text(reading.declaration, "FunctionCode")
    if function != _ORIGINAL:
        fault = Fault("wco.function", "/Declaration/FunctionCode", {"found": function or "-"}, function)
        raise Refused("wco-function-not-taken", [fault])


def _fields(reading: Reading, responsible: str | None) -> dict[str, Any]:
    declaration = reading.declaration
    shipment = reading.only(declaration, "GoodsShipment")
    goods = goods_items(reading)
    papers = documents(reading, declaration) + (documents(reading, shipment) if shipment is not None else [])
    procedure = _procedure(reading)
    total = reading.money(declaration, "InvoiceAmount")
    return {
        "lrn": reading.text(declaration, "FunctionalReferenceID"),
        "ucr": _ucr(reading, shipment, papers),
        "direction": _direction(reading, procedure),
        "procedure": procedure,
        "customs_office": _customs_office(reading),
        "dispatch_country": reading.text(shipment, "ExportCountry/ID") or _of_items(reading, "ExportCountry/ID"),
        "destination_country": reading.text(shipment, "Destination/CountryCode")
        or _of_items(reading, "Destination/CountryCode"),
        "incoterm": reading.text(shipment, "TradeTerms/ConditionCode"),
        "incoterm_place": reading.text(shipment, "TradeTerms/LocationID")
        or reading.text(shipment, "TradeTerms/LocationName"),
        "currency": _currency(total, goods),
        "total_price": total,
        "charges": charges(reading, shipment),
        "total_gross_mass_kg": reading.text(declaration, "TotalGrossMassMeasure"),
        "total_packages": reading.text(declaration, "TotalPackageQuantity"),
        "parties": parties(reading, responsible),
        "transport": transport(reading, [*papers, *(paper for item in goods for paper in item["documents"])]),
        "goods": goods,
        "documents": papers,
    }


def _ucr(reading: Reading, shipment: Element | None, papers: Sequence[dict[str, Any]]) -> str | None:
    stated = reading.text(shipment, "UCR/TraderAssignedReferenceID") or reading.text(shipment, "UCR/ID")
    if stated:
        return stated
    named = dict.fromkeys(paper["number"] for paper in papers if paper["type"][1:] == _UCR_DOCUMENT)
    if len(named) > 1:
        reading.faults.append(Fault("wco.repeated", "/Declaration/PreviousDocument", {"count": len(named)}))
    return next(iter(named), None)


def _direction(reading: Reading, procedure: str | None) -> str:
    """Import or export, from the declaration's type; between special territories, from its procedure.

    The letters after the first two (the kind of declaration: standard, simplified, before arrival, supplementary)
    are not carried, so a type with further letters counts as not read.
    """
    kind = reading.peek(reading.declaration, "TypeCode")
    if kind in _WHOLE_TYPES:
        reading.text(reading.declaration, "TypeCode")
    match (kind or "")[:2]:
        case "IM":
            return "import"
        case "EX":
            return "export"
        case "CO" if procedure:
            return "export" if procedure.startswith(_OUTWARD) else "import"
    fault = Fault("wco.direction", "/Declaration/TypeCode", {"found": kind or "-"}, kind)
    raise Refused("wco-function-not-taken", [fault])


def _procedure(reading: Reading) -> str | None:
    """Requested and previous procedure, if all goods items have the same."""
    whole = [
        procedure
        for procedure in reading.all(reading.declaration, "GoodsShipment/GovernmentAgencyGoodsItem/GovernmentProcedure")
        if reading.only(procedure, "PreviousCode") is not None
    ]
    codes = {"".join(reading.peek(each, name) or "" for name in _PROCEDURE) for each in whole}
    if len(codes) != 1:
        return None
    for each in whole:
        for name in _PROCEDURE:
            reading.text(each, name)
    return codes.pop()


def _customs_office(reading: Reading) -> str | None:
    """The responsible office, or else that of exit or presentation."""
    for path in ("DeclarationOfficeID", "PresentationOffice/ID", "ExitOffice/ID"):
        office = reading.text(reading.declaration, path)
        if office:
            return office
    return None


def _of_items(reading: Reading, path: str) -> str | None:
    """The text at a path of the goods items, if all have the same."""
    return reading.agreed(reading.declaration, f"GoodsShipment/GovernmentAgencyGoodsItem/{path}")


def _currency(total: dict[str, str | None] | None, goods: Sequence[dict[str, Any]]) -> str | None:
    """The invoice's currency: that of its total, or else of its lines if they agree."""
    if total is not None:
        return total["currency"]
    found = {item["price"]["currency"] for item in goods if item["price"] is not None}
    return found.pop() if len(found) == 1 else None


def _without_absent(value: Any) -> Any:
    """The value without fields that are None, so that absent fields are not null."""
    if isinstance(value, dict):
        return {name: _without_absent(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_absent(each) for each in value]
    return value
