"""Code lists: existing codes are in them, typing errors are not."""

import pytest

from contracts import codes
from values.places import Locode


@pytest.mark.parametrize("unit", ["KGM", "NAR", "MTQ", "TNE", "LTR", "H87", "5B", "ASV", "KGM#G", "TNE#I"])
def test_units_of_trade_and_of_tariffs_are_units(unit):
    assert codes.is_unit(unit)


@pytest.mark.parametrize("unit", ["KILO", "kgm", "千克", "XBX", "KGM#", "KGM#GG", "#G", "", "ＫＧＭ"])
def test_a_slip_is_no_unit(unit):
    assert not codes.is_unit(unit)


@pytest.mark.parametrize("kind", ["BX", "PK", "CT", "4C", "NE", "VQ", "ZZ"])
def test_kinds_of_package_are_listed(kind):
    assert kind in codes.package_kinds()


def test_the_lists_are_whole():
    assert len(codes.units()) > 2100
    assert len(codes.package_kinds()) > 400
    assert {len(kind) for kind in codes.package_kinds()} == {2}
    assert set(codes.places()) == {"BY", "CN", "IN", "IR", "KG", "KZ", "PK", "RU", "TJ", "UZ"}
    assert all(codes.is_place(Locode(place)) for places in codes.places().values() for place in places)


@pytest.mark.parametrize("place", ["CNTAO", "KZALA", "RUVVO", "GBWLA", "XKPRN", "XZOSL", "cn tao"])
def test_a_place_has_its_form_and_a_country(place):
    assert codes.is_place(Locode(place))


@pytest.mark.parametrize("place", ["CNTAO1", "ZNTAO", "CNT0O", "CN", "", "QQQQQ", "ZZZZZ", "XXAAA"])
def test_what_has_not_is_no_place(place):
    assert not codes.is_place(Locode(place))


def test_of_a_country_without_a_list_no_place_is_said_to_be_known():
    assert "CNTAO" in codes.places()["CN"]
    assert codes.is_place(Locode("CNTOA"))
    assert "CNTOA" not in codes.places()["CN"]
    assert codes.is_place(Locode("GBZZZ"))
    assert "GB" not in codes.places()


@pytest.mark.parametrize("code", ["CN", "KZ", "XI", "XK", "XZ", "QP"])
def test_countries_and_what_customs_and_the_un_use_for_one_are_countries(code):
    assert code in codes.countries()


@pytest.mark.parametrize("code", ["AA", "QQ", "QR", "QZ", "SU", "UK", "EU", "XX", "XA", "XT", "ZZ", "cn", ""])
def test_what_names_no_country_is_none(code):
    assert code not in codes.countries()


def test_languages_have_two_letters():
    assert {"zh", "ru", "en", "kk", "tg"} <= codes.languages()
    assert "english" not in codes.languages()


DECIMALS = {"JPY": 0, "KRW": 0, "UGX": 0, "VND": 0, "XAF": 0, "CNY": 2, "IDR": 2, "LAK": 2, "RSD": 2, "HUF": 2,
            "TWD": 2, "IRR": 2, "MRU": 2, "KWD": 3, "IQD": 3, "BHD": 3, "TND": 3, "CLF": 4, "UYW": 4}  # fmt: skip


def test_minor_units_are_the_standards_and_not_the_digits_of_cash():
    listed = codes.currencies()
    assert {currency: listed[currency] for currency in DECIMALS} == DECIMALS
    assert len(listed) == 165


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XAG", "XDR", "XUA", "BGN", "EURO", "cny", ""])
def test_what_has_no_minor_unit_is_no_currency(code):
    assert code not in codes.currencies()


@pytest.mark.parametrize("activity", ["A", "U", "01", "2410", "291", "99"])
def test_activities_stand_in_the_tree(activity):
    assert codes.is_activity(activity)


@pytest.mark.parametrize("activity", ["", "V", "a", "1", "00", "0400", "34", "24100", "２４", "steel"])
def test_what_does_not_is_no_activity(activity):
    assert not codes.is_activity(activity)
