"""Codes against their lists: an impossible code is refused by name, a possible one gives only a warning."""

import inspect
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from services.declarations.tests.declaration_builders import LAW, NOW, QINGDAO, a_declaration, an_item, lodge, yuan

from contracts.texts import LANGUAGES, text
from declarations.domain.assessment.trade_terms import TRADE_TERMS
from declarations.domain.declaration import Direction, Location, Party, Quantity, Role, Transport
from declarations.domain.events import Rejected, Submitted
from declarations.domain.life import decide
from declarations.domain.rules import codes
from declarations.domain.rules.codes import warn
from declarations.domain.rules.header import check
from declarations.domain.state import RuleError
from values.places import Locode

CODES = LAW.codes


def goods(**changes):
    return a_declaration(goods=(an_item(**changes),))


def at(unlocode):
    return a_declaration(transport=replace(a_declaration().transport, location=Location(Locode(unlocode))))


REFUSED = [
    ("declaration.importer.missing", "/parties", a_declaration(parties=(Party(Role.DECLARANT, QINGDAO),))),
    ("declaration.office.unknown", "/customs_office", a_declaration(customs_office="9999")),
    ("declaration.office.unknown", "/customs_office", a_declaration(customs_office="Qingdao")),
    ("declaration.place.unknown", "/transport/location/unlocode", at("ZNTAO")),
    ("declaration.place.unknown", "/transport/location/unlocode", at("Qingdao")),
    ("declaration.place.unknown", "/transport/location/unlocode", at("QQQQQ")),
    ("declaration.place.unknown", "/transport/location/unlocode", at("ZZZZZ")),
    ("declaration.incoterm.unknown", "/incoterm", a_declaration(incoterm="FBO")),
    ("declaration.unit.unknown", "/goods/0/quantity/unit", goods(quantity=Quantity(Decimal(1), "KILO"))),
    ("declaration.package_kind.unknown", "/goods/0/package_kind", goods(package_kind="BOX")),
]
WARNED = [
    ("declaration.office.unlisted", "/customs_office", a_declaration(customs_office="5141")),
    ("declaration.place.unlisted", "/transport/location/unlocode", at("CNTOA")),
    ("declaration.place.unlisted", "/transport/location/unlocode", at("cn qqq")),
    ("declaration.place.unchecked", "/transport/location/unlocode", at("GBZZZ")),
    ("declaration.place.unchecked", "/transport/location/unlocode", at("XKPRN")),
    ("declaration.incoterm.old", "/incoterm", a_declaration(incoterm="DAF")),
    ("declaration.incoterm.old", "/incoterm", a_declaration(incoterm="C&F")),
    (
        "declaration.incoterm.mode",
        "/incoterm",
        a_declaration(incoterm="FOB", freight=yuan("9"), transport=Transport(mode="2")),
    ),
    ("declaration.value.not_used", "/goods/0/customs_value", goods(customs_value=yuan("9"))),
    ("declaration.value.not_used", "/goods/0/statistical_value", goods(statistical_value=yuan("9"))),
]


def _ids(rows):
    return [f"{code} {declaration.incoterm}" for code, _, declaration in rows]


@pytest.mark.parametrize(("code", "pointer", "declaration"), REFUSED, ids=_ids(REFUSED))
def test_an_impossible_code_is_refused_by_field_value_and_rule(code, pointer, declaration):
    assert [(each.code, each.pointer) for each in check(declaration, NOW, LAW)] == [(code, pointer)]
    _, rejected = decide(None, lodge(declaration), now=NOW, law=LAW)
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize(("code", "pointer", "declaration"), WARNED, ids=_ids(WARNED))
def test_a_possible_code_gives_a_warning_and_the_declaration_proceeds(code, pointer, declaration):
    assert check(declaration, NOW, LAW) == ()
    (submitted,) = decide(None, lodge(declaration), now=NOW, law=LAW)
    assert isinstance(submitted, Submitted)
    assert [(each.code, each.pointer) for each in submitted.warnings] == [(code, pointer)]


@pytest.mark.parametrize("written", ["CNTAO", "cn tao", " Cntao"])
def test_every_spelling_of_a_listed_place_is_accepted_without_a_warning(written):
    assert check(at(written), NOW, LAW) == ()
    assert warn(at(written), CODES) == ()


@pytest.mark.parametrize("mode", "1234589")
@pytest.mark.parametrize("term", sorted(TRADE_TERMS))
def test_every_trade_term_is_accepted_with_every_mode_of_transport(term, mode):
    declaration = a_declaration(incoterm=term, transport=Transport(mode=mode))
    assert [each.code for each in check(declaration, NOW, LAW) if "incoterm" in each.code] == []


@pytest.mark.parametrize("term", ["CIF", "C&F", "FOB", "C&I", "EXW", "3", "5"])
@pytest.mark.parametrize("mode", "1234")
def test_terms_of_chinas_form_are_accepted_by_rail_road_and_air(term, mode):
    declaration = a_declaration(incoterm=term, freight=yuan("9"), transport=Transport(mode=mode))
    assert isinstance(decide(None, lodge(declaration), now=NOW, law=LAW)[-1], Submitted)


@pytest.mark.parametrize(
    ("old", "present"),
    [("DAF", "DAP"), ("DDU", "DAP"), ("DES", "DAP"), ("DEQ", "DPU"), ("DAT", "DPU"), ("C&F", "CFR"), ("C&I", "FOB")],
)
def test_a_replaced_term_gives_a_warning_with_the_current_one(old, present):
    warning = RuleError("declaration.incoterm.old", "/incoterm", old, {"present": present})
    assert warn(a_declaration(incoterm=old), CODES) == (warning,)
    assert TRADE_TERMS[present].replaced_by == ""


def test_an_export_needs_no_importer():
    assert check(a_declaration(), NOW, LAW) == ()
    without = Party(Role.DECLARANT, QINGDAO), Party(Role.EXPORTER, QINGDAO)
    export = a_declaration(direction=Direction.EXPORT, parties=without)
    assert [each.code for each in check(export, NOW, LAW)] == []


@pytest.mark.parametrize("code", ["GB000040", "GBBEL004", "10702070", "KAPW", "INNSA1"])
def test_an_office_abroad_is_accepted_without_a_warning(code):
    declaration = a_declaration(customs_office=code)
    assert check(declaration, NOW, LAW) == ()
    assert warn(declaration, CODES) == ()


def test_a_rejected_version_has_its_warnings_too():
    declaration = a_declaration(incoterm="DDU", total_packages=99)
    submitted, rejected = decide(None, lodge(declaration), now=NOW, law=LAW)
    assert isinstance(submitted, Submitted)
    assert isinstance(rejected, Rejected)
    assert [each.code for each in submitted.warnings] == ["declaration.incoterm.old"]
    assert "declaration.incoterm.old" not in {each.code for each in rejected.errors}


@pytest.mark.parametrize(("code", "declaration"), [(code, each) for code, _, each in (*REFUSED, *WARNED)])
def test_every_code_has_its_text_in_three_languages(code, declaration):
    found = next(each for each in (*check(declaration, NOW, LAW), *warn(declaration, CODES)) if each.code == code)
    assert len({text(code, language, value=found.value, **found.parameters) for language in LANGUAGES}) == 3


def test_every_rule_and_every_warning_has_a_test_case():
    written = set(re.findall(r'"(declaration\.[\w.]+)"', inspect.getsource(codes)))
    assert written == {code for code, _, _ in (*REFUSED, *WARNED)}
