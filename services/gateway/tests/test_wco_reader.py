"""The reader of WCO declarations: accepts real documents, refuses hostile and foreign ones."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.gateway.v1 import Declaration
from gateway.domain.faults import Refused
from gateway.formats.wco import read

ORIGINALS = Path(__file__).resolve().parents[4] / "shared" / "data" / "wco" / "samples"


def wco(inside: str = "", *, function: str = "9", kind: str = "IMA", meta: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>{meta}
<Declaration><FunctionCode>{function}</FunctionCode><FunctionalReferenceID>L1</FunctionalReferenceID>
<TypeCode>{kind}</TypeCode>{inside}</Declaration></md:MetaData>""".encode()


def originals() -> list[Path]:
    """The documents that claim to be declarations."""
    if not ORIGINALS.is_dir():
        pytest.skip(f"the WCO sample documents are not at {ORIGINALS}")
    documents = (path for path in sorted(ORIGINALS.rglob("*")) if path.suffix.lower() == ".xml")
    return [path for path in documents if b"WCOTypeName>DEC<" in path.read_bytes()]


def validated(fields: dict[str, Any]) -> Declaration:
    return Declaration.model_validate({"ucr": "4CN000000000000000-1", **fields})


def test_every_import_original_is_read() -> None:
    read_ones = []
    for path in originals():
        body = path.read_bytes()
        if b"<FunctionCode>9<" not in body.replace(b"p:", b"") or b"TypeCode>IM" not in body:
            continue
        declaration = validated(read(body).fields)
        assert declaration.direction == "import"
        assert declaration.lrn
        assert any(party.role == "declarant" for party in declaration.parties), path.name
        assert declaration.goods, path.name
        read_ones.append(declaration)
    assert len(read_ones) >= 110


def test_every_document_is_read_or_refused_by_name() -> None:
    refusals = Counter[str]()
    for path in originals():
        try:
            validated(read(path.read_bytes()).fields)
        except Refused as refused:
            refusals[refused.problem] += 1
            assert refused.faults, path.name
    assert refusals == {"wco-function-not-taken": 12}


def test_values_of_a_real_declaration_are_unchanged() -> None:
    path = ORIGINALS / "TT_IM189a" / "Step1_TT_IM189a.xml"
    if not path.exists():
        pytest.skip(f"the WCO sample documents are not at {ORIGINALS}")
    document = read(path.read_bytes())
    declaration = validated(document.fields)
    item = declaration.goods[0]
    assert (declaration.lrn, declaration.procedure, declaration.incoterm) == ("U.7849431BQMLR", "4000", "CIF")
    assert (declaration.dispatch_country, declaration.destination_country) == ("US", "GB")
    assert (item.commodity_code, item.origin, item.packages, item.package_kind) == ("8543400000", "US", 100, "BX")
    assert item.price is not None
    assert (str(item.price.amount), item.price.currency) == ("2000", "GBP")
    assert (str(item.gross_mass_kg), str(item.net_mass_kg)) == ("15", "10")
    assert [str(party.identifier) for party in declaration.parties] == [
        "GB-EORI:GB603202734852",
        "GB-EORI:GB553202734852",
    ]
    assert declaration.transport.containers == ("AD12345",)
    assert declaration.transport.location is not None
    assert declaration.transport.location.unlocode == "GBWLA"
    assert "/Declaration/Exporter/Name" in document.not_read
    assert "/Declaration/GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Description" not in document.not_read


def test_a_number_keeps_the_scheme_it_names() -> None:
    fields = read(wco('<Declarant><ID schemeID="CN-USCC">91370200mb2f00qd1x</ID></Declarant>')).fields
    assert fields["parties"] == [
        {"role": "declarant", "identifier": {"scheme": "CN-USCC", "value": "91370200MB2F00QD1X"}}
    ]


def test_a_mass_in_another_unit_is_listed_as_not_read() -> None:
    goods = (
        "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><GoodsMeasure>"
        '<GrossMassMeasure unitCode="TNE">3</GrossMassMeasure></GoodsMeasure></Commodity>'
        "</GovernmentAgencyGoodsItem></GoodsShipment>"
    )
    document = read(wco(goods, kind="IM"))
    assert "gross_mass_kg" not in document.fields["goods"][0]
    assert document.not_read == (
        "/Declaration/GoodsShipment/GovernmentAgencyGoodsItem/Commodity/GoodsMeasure/GrossMassMeasure",
    )


def test_an_expanding_entity_is_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;&c;&c;</a>'
    with pytest.raises(Refused, match="xml-hostile"):
        read(bomb)


def test_an_external_document_type_is_refused() -> None:
    with pytest.raises(Refused, match="xml-hostile"):
        read(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>')


@pytest.mark.parametrize("depth", [100, 200_000])
def test_huge_nesting_is_refused(depth: int) -> None:
    with pytest.raises(Refused, match="xml-too-deep"):
        read(b"<a>" * depth + b"</a>" * depth)


def test_a_flood_of_elements_is_refused() -> None:
    with pytest.raises(Refused, match="xml-too-large"):
        read(b"<a>" + b"<b/>" * 300_000 + b"</a>")


@pytest.mark.parametrize(
    "body",
    [b"", b"not xml", b"<a><b></a>", b"\xff\xfe\x00", b'<?xml version="1.0" encoding="x-none"?><a/>', b"<a>\x00</a>"],
)
def test_malformed_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="xml-malformed"):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>hello</body></html>",
        b'<Declaration xmlns="urn:other"><FunctionCode>9</FunctionCode></Declaration>',
        wco().replace(b">DEC<", b">RES<"),
        wco().replace(b">3.6<", b">2.0<"),
    ],
)
def test_foreign_documents_are_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="wco-not-a-declaration") as refused:
        read(body)
    assert refused.value.faults[0].pointer


@pytest.mark.parametrize(("function", "kind"), [("13", "COR"), ("13", "INV"), ("9", "XXX")])
def test_unsupported_functions_are_refused_by_name(function: str, kind: str) -> None:
    with pytest.raises(Refused, match="wco-function-not-taken") as refused:
        read(wco(function=function, kind=kind))
    assert refused.value.faults[0].pointer.startswith("/Declaration/")


PRICE, GROSS = "<ItemChargeAmount>1</ItemChargeAmount>", "<GrossMassMeasure>1</GrossMassMeasure>"
ITEM = "/Declaration/GoodsShipment/GovernmentAgencyGoodsItem"


def an_item(inside: str) -> str:
    return (
        "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>"
        f"{inside}</GovernmentAgencyGoodsItem></GoodsShipment>"
    )


@pytest.mark.parametrize(
    ("inside", "place"),
    [
        ('<InvoiceAmount currencyID="GBP">1</InvoiceAmount>' * 2, "/Declaration/InvoiceAmount[2]"),
        (
            an_item(f"<Commodity><InvoiceLine>{PRICE}{PRICE}</InvoiceLine></Commodity>"),
            f"{ITEM}/Commodity/InvoiceLine/ItemChargeAmount[2]",
        ),
        (
            an_item(f"<Commodity><InvoiceLine>{PRICE}</InvoiceLine><InvoiceLine>{PRICE}</InvoiceLine></Commodity>"),
            f"{ITEM}/Commodity/InvoiceLine[2]/ItemChargeAmount",
        ),
        (an_item("<CustomsValueAmount>1</CustomsValueAmount>" * 2), f"{ITEM}/CustomsValueAmount[2]"),
        (
            an_item(f"<Commodity><GoodsMeasure>{GROSS}{GROSS}</GoodsMeasure></Commodity>"),
            f"{ITEM}/Commodity/GoodsMeasure/GrossMassMeasure[2]",
        ),
    ],
)
def test_a_second_amount_where_one_is_allowed_is_refused_with_its_path(inside: str, place: str) -> None:
    with pytest.raises(Refused, match="invalid-declaration") as refused:
        read(wco(inside))
    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [("wco.repeated", place)]


TWICE = (
    ("<TotalGrossMassMeasure>{}</TotalGrossMassMeasure>", "/Declaration/TotalGrossMassMeasure[2]"),
    ("<TotalPackageQuantity>{}</TotalPackageQuantity>", "/Declaration/TotalPackageQuantity[2]"),
    ("<DeclarationOfficeID>{}</DeclarationOfficeID>", "/Declaration/DeclarationOfficeID[2]"),
    ("<FunctionalReferenceID>{}</FunctionalReferenceID>", "/Declaration/FunctionalReferenceID[2]"),
    (
        "<GoodsShipment><TradeTerms><ConditionCode>{}</ConditionCode></TradeTerms></GoodsShipment>",
        "/Declaration/GoodsShipment[2]",
    ),
    (
        "<BorderTransportMeans><ModeCode>{}</ModeCode></BorderTransportMeans>",
        "/Declaration/BorderTransportMeans[2]/ModeCode",
    ),
)
TWICE_IN_SHIPMENT = (
    ("<TradeTerms><ConditionCode>{}</ConditionCode></TradeTerms>", "TradeTerms[2]/ConditionCode"),
    ("<UCR><TraderAssignedReferenceID>{}</TraderAssignedReferenceID></UCR>", "UCR[2]/TraderAssignedReferenceID"),
    ("<ExportCountry><ID>{}</ID></ExportCountry>", "ExportCountry[2]/ID"),
    ("<Destination><CountryCode>{}</CountryCode></Destination>", "Destination[2]/CountryCode"),
    ("<Consignment><GoodsLocation><Name>{}</Name></GoodsLocation></Consignment>", "Consignment[2]/GoodsLocation"),
)
TWICE_IN_ITEM = (
    ("<SequenceNumeric>{}</SequenceNumeric>", "SequenceNumeric[2]"),
    ("<CustomsValuation><MethodCode>{}</MethodCode></CustomsValuation>", "CustomsValuation[2]/MethodCode"),
    ("<Origin><CountryCode>{}</CountryCode><TypeCode>1</TypeCode></Origin>", "Origin[2]"),
    ("<Commodity><Description>{}</Description></Commodity>", "Commodity[2]"),
    (
        "<Commodity><DutyTaxFee><DutyRegimeCode>{}</DutyRegimeCode></DutyTaxFee>"
        "<DutyTaxFee><DutyRegimeCode>300</DutyRegimeCode></DutyTaxFee></Commodity>",
        "Commodity/DutyTaxFee[2]/DutyRegimeCode",
    ),
)


@pytest.mark.parametrize(
    ("inside", "place"),
    [
        *(((form.format("1") + form.format("2")), place) for form, place in TWICE),
        *(
            (
                f"<GoodsShipment>{form.format('1')}{form.format('2')}</GoodsShipment>",
                f"/Declaration/GoodsShipment/{place}",
            )
            for form, place in TWICE_IN_SHIPMENT
        ),
        *((an_item(form.format("1") + form.format("2")), f"{ITEM}/{place}") for form, place in TWICE_IN_ITEM[:-1]),
        (an_item(TWICE_IN_ITEM[-1][0].format("100")), f"{ITEM}/{TWICE_IN_ITEM[-1][1]}"),
        (
            an_item(
                "<Commodity>"
                + "".join(
                    f"<Classification><ID>{code}</ID><IdentificationTypeCode>TSP</IdentificationTypeCode></Classification>"
                    for code in ("85434000", "85437090")
                )
                + "</Commodity>"
            ),
            f"{ITEM}/Commodity/Classification[2]",
        ),
        (
            "<PreviousDocument><CategoryCode>Y</CategoryCode><ID>A</ID><TypeCode>DCR</TypeCode></PreviousDocument>"
            "<PreviousDocument><CategoryCode>Y</CategoryCode><ID>B</ID><TypeCode>DCR</TypeCode></PreviousDocument>",
            "/Declaration/PreviousDocument",
        ),
    ],
)
def test_a_repeated_element_that_may_occur_once_is_refused(inside: str, place: str) -> None:
    with pytest.raises(Refused, match="invalid-declaration") as refused:
        read(wco(inside, kind="IM"))
    assert ("wco.repeated", place) in {(fault.code, fault.pointer) for fault in refused.value.faults}


@pytest.mark.parametrize(
    ("regime", "origins", "country", "left"),
    [
        ("100", {"1": "CN"}, "CN", []),
        ("300", {"1": "CN", "2": "ME"}, "ME", ["Origin/CountryCode", "Origin/TypeCode"]),
        ("300", {"2": "ME", "1": "ME"}, "ME", []),
        ("300", {"1": "CN"}, "CN", []),
        ("100", {"2": "ME", "1": "CN"}, "CN", ["Origin/CountryCode", "Origin/TypeCode"]),
        ("100", {"2": "ME"}, None, ["Origin/CountryCode", "Origin/TypeCode"]),
    ],
)
def test_the_origin_is_the_preferential_one_only_if_a_preference_is_claimed(
    regime: str, origins: dict[str, str], country: str | None, left: list[str]
) -> None:
    stated = "".join(
        f"<Origin><CountryCode>{each}</CountryCode><TypeCode>{kind}</TypeCode></Origin>"
        for kind, each in origins.items()
    )
    fee = f"<Commodity><DutyTaxFee><DutyRegimeCode>{regime}</DutyRegimeCode></DutyTaxFee></Commodity>"
    document = read(wco(an_item(stated + fee), kind="IM"))
    assert document.fields["goods"][0].get("origin") == country
    assert [path.removeprefix(f"{ITEM}/") for path in document.not_read if "Origin" in path] == left


def test_an_element_of_a_foreign_namespace_is_not_read() -> None:
    foreign = an_item(
        '<x:CustomsValueAmount xmlns:x="urn:other" currencyID="GBP">1</x:CustomsValueAmount>'
        '<CustomsValueAmount xmlns="" currencyID="GBP">2</CustomsValueAmount>'
        '<y:Origin xmlns:y="urn:wco:datamodel:WCO:Declaration_DS:DMS:2"><y:CountryCode>US</y:CountryCode></y:Origin>'
    )
    document = read(wco(foreign, kind="IM"))
    (item,) = document.fields["goods"]
    assert "customs_value" not in item
    assert item["origin"] == "US"
    assert document.not_read == (
        f"{ITEM}/{{urn:other}}CustomsValueAmount",
        f"{ITEM}/CustomsValueAmount",
    )


@pytest.mark.parametrize(("kind", "lost"), [("IM", False), ("EX", False), ("IMA", True), ("EXD", True), ("IMZ", True)])
def test_the_letters_of_a_type_are_carried_or_listed_as_not_read(kind: str, lost: bool) -> None:
    assert ("/Declaration/TypeCode" in read(wco(kind=kind)).not_read) is lost


@pytest.mark.parametrize(("regime", "carried"), [("300", {"code": "300"}), ("100", None), ("140", None), ("120", None)])
def test_a_duty_regime_is_carried_or_listed_as_not_read(regime: str, carried: dict[str, Any] | None) -> None:
    fee = f"<DutyTaxFee><DutyRegimeCode>{regime}</DutyRegimeCode></DutyTaxFee>"
    document = read(wco(an_item(f"<Commodity>{fee}</Commodity>")))
    assert document.fields["goods"][0].get("preference") == carried
    assert (f"{ITEM}/Commodity/DutyTaxFee/DutyRegimeCode" in document.not_read) is (carried is None)


def test_values_that_differ_between_items_are_listed_as_not_read() -> None:
    def item(procedure: str, country: str) -> str:
        return (
            f"<GovernmentAgencyGoodsItem><GovernmentProcedure><CurrentCode>{procedure}</CurrentCode>"
            f"<PreviousCode>00</PreviousCode></GovernmentProcedure><Destination><CountryCode>{country}</CountryCode>"
            "</Destination></GovernmentAgencyGoodsItem>"
        )

    document = read(wco(f"<GoodsShipment>{item('40', 'GB')}{item('51', 'DE')}</GoodsShipment>", kind="IM"))
    assert "procedure" not in document.fields
    assert "destination_country" not in document.fields
    assert document.not_read == (
        f"{ITEM}/GovernmentProcedure/CurrentCode",
        f"{ITEM}/GovernmentProcedure/PreviousCode",
        f"{ITEM}/Destination/CountryCode",
    )


def test_taric_digits_without_a_tariff_code_are_listed_as_not_read() -> None:
    def classified(kind: str, code: str) -> str:
        kinds = f"<IdentificationTypeCode>{kind}</IdentificationTypeCode>"
        return f"<Classification><ID>{code}</ID>{kinds}</Classification>"

    whole = an_item(f"<Commodity>{classified('TSP', '85434000')}{classified('TRC', '00')}</Commodity>")
    short = an_item(f"<Commodity>{classified('TSP', '854340')}{classified('TRC', '00')}</Commodity>")
    assert read(wco(whole, kind="IM")).not_read == ()
    assert f"{ITEM}/Commodity/Classification/ID" in read(wco(short, kind="IM")).not_read


def test_the_name_of_an_unknown_element_is_shortened() -> None:
    (path,) = read(wco(f"<{'x' * 10_000}>1</{'x' * 10_000}>", kind="IM")).not_read
    assert len(path) < 300
