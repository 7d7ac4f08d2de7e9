"""Each cross rule: what it refuses, its pointer, and that absent fields break no rule."""

import inspect
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from services.declarations.tests.declaration_builders import LAW, NOW, QINGDAO, a_declaration, an_item, charge, yuan

from contracts.texts import LANGUAGES, catalogue, text
from declarations.domain.declaration import (
    Declaration,
    Direction,
    Document,
    Money,
    Party,
    Preference,
    Quantity,
    Role,
    Transport,
)
from declarations.domain.rules import codes
from declarations.domain.rules.header import RULES, check
from values.references import Lrn, TransportDocument, Ucr

D = Decimal
SHANGHAI = timezone(timedelta(hours=8))
PAST = datetime(2020, 1, 1, tzinfo=UTC)
OLD = Document("N002", valid_until=PAST)
CLAIMED = Preference("CN-PK", "C-1")


def goods(**changes):
    return a_declaration(goods=(an_item(**changes),))


def shipped(**changes):
    return a_declaration(transport=replace(a_declaration().transport, **changes))


NOTHING_PAID = a_declaration(goods=(an_item(price=None),), total_price=Money(D(0), "CNY"))
BROKEN = [
    ("declaration.declarant.missing", "/parties", a_declaration(parties=(Party(Role.IMPORTER, QINGDAO),))),
    ("declaration.goods.missing", "/goods", a_declaration(goods=())),
    ("declaration.gross_mass.sum", "/total_gross_mass_kg", a_declaration(total_gross_mass_kg=D("1100.001"))),
    ("declaration.packages.sum", "/total_packages", a_declaration(total_packages=20)),
    ("declaration.price.sum", "/total_price/amount", a_declaration(total_price=Money(D("10000.01"), "CNY"))),
    ("declaration.value.negative", "/freight/amount", a_declaration(freight=Money(D(-1), "CNY"))),
    ("declaration.value.negative", "/goods/0/customs_value/amount", goods(customs_value=Money(D(-1), "CNY"))),
    ("declaration.value.missing", "/goods/0/price", a_declaration(goods=(an_item(price=None),), total_price=None)),
    ("declaration.value.zero", "/goods/0/price/amount", goods(price=Money(D(0), "CNY"))),
    ("declaration.value.deducted_away", "/goods/0", goods(charges=(charge("BC", "10000"),))),
    (
        "declaration.value.rounds_to_nothing",
        "/goods/0/price/amount",
        replace(goods(price=Money(D("0.01"), "IRR")), currency=None, total_price=None),
    ),
    ("declaration.freight.zero", "/freight/amount", a_declaration(incoterm="FOB", freight=yuan("0"))),
    (
        "declaration.freight.twice",
        "/freight",
        a_declaration(incoterm="FOB", freight=yuan("5"), charges=(charge("AR", "5"),)),
    ),
    (
        "declaration.insurance.twice",
        "/insurance",
        a_declaration(insurance=yuan("5"), incoterm="CFR", charges=(charge("AK", "5"),)),
    ),
    ("declaration.total_price.zero", "/total_price/amount", NOTHING_PAID),
    ("declaration.incoterm.missing", "/incoterm", a_declaration(incoterm=None)),
    ("declaration.freight.missing", "/freight", a_declaration(incoterm="FOB")),
    ("declaration.currency.decimals", "/freight/amount", a_declaration(freight=Money(D("1.001"), "CNY"))),
    ("declaration.currency.no_rate", "/freight/currency", a_declaration(freight=Money(D(1), "KWD"))),
    ("declaration.value.too_large", "/freight/amount", a_declaration(freight=Money(D("1E+15"), "CNY"))),
    ("declaration.value.too_large", "/goods/0/price/amount", goods(price=Money(D("9E+30"), "CNY"))),
    ("declaration.mass.negative", "/goods/0/net_mass_kg", goods(net_mass_kg=D(-1))),
    ("declaration.quantity.negative", "/goods/0/quantity/value", goods(quantity=Quantity(D(-1), "KGM"))),
    ("declaration.packages.negative", "/goods/0/packages", goods(packages=-1)),
    ("declaration.transport.mode", "/transport/mode", shipped(mode="0")),
    ("declaration.currency.unknown", "/currency", a_declaration(currency="XYZ", total_price=None)),
    ("declaration.currency.unknown", "/goods/0/price/currency", goods(price=Money(D(1), "EURO"))),
    ("declaration.currency.differs", "/total_price/currency", a_declaration(currency="EUR")),
    ("declaration.country.unknown", "/dispatch_country", a_declaration(dispatch_country="ZN")),
    ("declaration.country.unknown", "/dispatch_country", a_declaration(dispatch_country="XX")),
    ("declaration.country.unknown", "/dispatch_country", a_declaration(dispatch_country="QQ")),
    ("declaration.country.unknown", "/destination_country", a_declaration(destination_country="ZZ")),
    ("declaration.country.unknown", "/goods/0/origin", goods(origin="UK")),
    ("declaration.container.twice", "/transport/containers/1", shipped(containers=("CSQU3054383", "CSQU3054383"))),
    ("declaration.arrival.before_departure", "/transport/arrives_at", shipped(departed_at=NOW, arrives_at=NOW)),
    ("declaration.document.expired", "/documents/0/valid_until", a_declaration(documents=(OLD,))),
    ("declaration.document.expired", "/goods/0/documents/0/valid_until", goods(documents=(OLD,))),
    ("declaration.commodity_code.missing", "/goods/0/commodity_code", goods(commodity_code="", description=None)),
    ("declaration.commodity_code.form", "/goods/0/commodity_code", goods(commodity_code="26.03")),
    ("declaration.commodity_code.form", "/goods/0/commodity_code", goods(commodity_code="2603000")),
    ("declaration.commodity_code.chapter", "/goods/0/commodity_code", goods(commodity_code="770000")),
    ("declaration.net_mass.above_gross", "/goods/0/net_mass_kg", goods(net_mass_kg=D("1100.5"))),
    ("declaration.valuation_method.unknown", "/goods/0/valuation_method", goods(valuation_method="7")),
    ("declaration.certificate.missing", "/goods/0/preference/certificate", goods(preference=CLAIMED)),
    (
        "declaration.certificate.expired",
        "/goods/0/preference/certificate",
        goods(preference=CLAIMED, documents=(Document("861", "C-1", valid_until=PAST),)),
    ),
    (
        "declaration.item.number_twice",
        "/goods/1/number",
        a_declaration(goods=(an_item(), an_item()), total_price=None, total_packages=None, total_gross_mass_kg=None),
    ),
]  # fmt: skip

"""(code, pointer, a declaration that breaks the rule)"""

FREIGHT = Money(D(200), "CNY")
AIR = replace(
    a_declaration(),
    incoterm="FCA",
    freight=FREIGHT,
    transport=Transport(mode="4", means="CA 937", document=TransportDocument("999-12345675")),
)
KEPT = [
    ("by_air", AIR),
    ("sea_incoterm_on_inland_water", replace(shipped(mode="8"), incoterm="FOB", freight=FREIGHT)),
    ("sea_incoterm_by_rail", shipped(mode="2")),
    ("net_equals_gross", goods(net_mass_kg=D(1100))),
    (
        "certificate_among_the_headers_documents",
        replace(goods(preference=CLAIMED), documents=(Document("861", "C-1"),)),
    ),
    ("arrival_after_departure", shipped(departed_at=NOW, arrives_at=NOW + timedelta(days=1))),
    ("six_digits", goods(commodity_code="260300")),
    ("nothing_to_pay_for", a_declaration(total_price=None, freight=Money(D(0), "CNY"))),
]
"""(what is allowed, a declaration that breaks no rule): cases that must not be refused"""


@pytest.mark.parametrize("declaration", [each for _, each in KEPT], ids=[name for name, _ in KEPT])
def test_what_is_allowed_breaks_no_rule(declaration):
    assert check(declaration, NOW, LAW) == ()


@pytest.mark.parametrize(("code", "pointer", "declaration"), BROKEN, ids=[f"{code}{at}" for code, at, _ in BROKEN])
def test_a_broken_rule_names_its_field(code, pointer, declaration):
    assert (code, pointer) in {(error.code, error.pointer) for error in check(declaration, NOW, LAW)}


def test_a_valid_declaration_breaks_no_rule():
    assert check(a_declaration(), NOW, LAW) == ()


def test_every_error_has_the_value_found():
    errors = check(goods(net_mass_kg=D("1100.5")), NOW, LAW)
    assert [(error.value, error.parameters) for error in errors] == [("1100.5", {"gross": "1100"})]


def test_all_errors_are_reported_at_once():
    every = a_declaration(
        incoterm="ABC", dispatch_country="ZN", total_packages=20, goods=(an_item(commodity_code="1"),)
    )
    assert len(check(every, NOW, LAW)) == 4


def test_absent_fields_break_no_rule():
    item = an_item(description="printed matter", commodity_code="", origin=None, gross_mass_kg=None, net_mass_kg=None,
                   packages=None, price=Money(D(1), "CNY"))  # fmt: skip
    parties = (Party(Role.DECLARANT, QINGDAO), Party(Role.IMPORTER, QINGDAO))
    bare = Declaration(Lrn("L"), Ucr("U"), Direction.IMPORT, parties, (item,), incoterm="CIF", transport=Transport())
    assert check(bare, NOW, LAW) == ()


def test_a_sum_is_only_compared_when_every_item_states_its_part():
    items = (
        an_item(),
        an_item(number=2, packages=None, gross_mass_kg=None, net_mass_kg=None, price=Money(D(1), "USD")),
    )
    assert check(a_declaration(goods=items, total_packages=99), NOW, LAW) == ()


@pytest.mark.parametrize("claimed", [CLAIMED, None], ids=["certificate", "other_document"])
def test_a_document_is_valid_through_its_last_day_at_the_office(claimed):
    document = Document("861", "C-1", valid_until=datetime(2026, 3, 2, tzinfo=SHANGHAI))
    good = goods(preference=claimed, documents=(document,))
    assert check(good, datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC), LAW) == ()
    assert check(good, datetime(2026, 3, 2, 16, tzinfo=UTC), LAW) != ()


def test_codes_of_user_assigned_countries_pass():
    assert check(a_declaration(dispatch_country="XI"), NOW, LAW) == ()


def test_there_is_a_minimum_number_of_rules():
    assert len(RULES) >= 14


def test_every_code_has_its_text_in_three_languages():
    for code, _, declaration in BROKEN:
        error = next(each for each in check(declaration, NOW, LAW) if each.code == code)
        texts = {text(code, language, value=error.value, **error.parameters) for language in LANGUAGES}
        assert len(texts) == len(LANGUAGES)
    own = {code for code in catalogue() if code.startswith("declaration.")}
    others = {"declaration.lrn.in_use", "declaration.ucr.changed", "declaration.errors.more"} | {
        code for code in own if code.startswith("declaration.party.")
    }
    others |= set(re.findall(r'"(declaration\.[\w.]+)"', inspect.getsource(codes)))
    assert own - others == {code for code, _, _ in BROKEN}
