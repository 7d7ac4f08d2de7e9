"""Reads the data of the law once at start: tariff, exchange rates, risk rules, holidays, code lists."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from contracts import codes
from declarations.domain.assessment.duty import Tariff, TariffRate
from declarations.domain.assessment.exchange import ExchangeRates, RateTable
from declarations.domain.assessment.risk import CONDITIONS, RiskRule, RiskRules
from declarations.domain.authority import Seats
from declarations.domain.law import Codes, Law
from declarations.domain.office_day import OfficeCalendar
from declarations.domain.offices import Office, OfficeForm, Offices
from declarations.domain.payment_term import PaymentTerm
from declarations.domain.state import Lane
from values.numbers import read_decimal
from values.places import Locode


class UnknownOffice(Exception):
    """The place of the installation's home office is not known."""


class UnknownCondition(Exception):
    """A risk rule names a condition that the engine does not have."""


def load_law(*, zone: str, payment_days: int, payment_seconds: float = 0, home_office: str = "4200") -> Law:
    """The law of this release, with the installation's payment term.

    `payment_seconds` above 0 replaces the days, for tests and demonstrations.

    Raises:
        UnknownCondition: a risk rule has a condition that the engine does not have.
    """
    calendar = OfficeCalendar(ZoneInfo(zone))
    term = PaymentTerm(
        calendar=calendar,
        days=payment_days,
        holidays=frozenset(_read("calendar")["holidays"]),
        exactly=timedelta(seconds=payment_seconds) if payment_seconds else None,
    )
    return Law(
        load_codes(),
        load_tariff(calendar),
        load_exchange(),
        load_risk(),
        term,
        load_seats(home_office),
    )


def load_seats(home_office: str) -> Seats:
    """The places of customs offices.

    Raises:
        UnknownOffice: the place of the home office is not known.
    """
    places = {office.code: office.place for office in load_offices().listed.values() if office.place is not None}
    if home_office not in places:
        raise UnknownOffice(home_office)
    return Seats(places, home_office)


def load_codes() -> Codes:
    return Codes(
        countries=codes.countries(),
        currencies=codes.currencies(),
        package_kinds=codes.package_kinds(),
        is_unit=codes.is_unit,
        is_place=codes.is_place,
        places=codes.places(),
        offices=load_offices(),
    )


def load_offices() -> Offices:
    data = _read("offices")
    return Offices(
        listed={each["code"]: _office(each) for each in data["office"]},
        forms=tuple(
            OfficeForm(each.get("country"), each["pattern"], frozenset(each.get("districts", ())))
            for each in data["form"]
        ),
        countries=frozenset(data["listed_countries"]),
    )


def load_tariff(calendar: OfficeCalendar) -> Tariff:
    data = _read("tariff")
    return Tariff(data["name"], tuple(_rate(each) for each in data["rates"]), calendar)


def load_exchange() -> ExchangeRates:
    data = _read("exchange")
    return ExchangeRates(
        currency=data["currency"],
        tables=tuple(_table(each) for each in data["rates"]),
        minor_units=codes.currencies()[data["currency"]],
    )


def load_risk() -> RiskRules:
    data = _read("risk")
    return RiskRules(
        rules=tuple(_rule(each) for each in data["rules"]),
        random=_rule({"condition": "", **data["random"]}, known=False),
        red_from=data["red_from"],
        yellow_from=data["yellow_from"],
        blue_from=data["blue_from"],
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("declarations").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


def _office(data: Mapping[str, Any]) -> Office:
    return Office(
        code=data["code"],
        names=data["names"],
        place=Locode(data["place"]) if "place" in data else None,
        zone=ZoneInfo(data["zone"]),
        hosted=data["hosted"],
    )


def _table(data: Mapping[str, Any]) -> RateTable:
    return RateTable(
        valid_from=data["valid_from"],
        valid_until=data.get("valid_until"),
        per_unit={currency: read_decimal(rate) for currency, rate in data["per_unit"].items()},
    )


def _rate(data: Mapping[str, Any]) -> TariffRate:
    return TariffRate(
        prefix=data["prefix"],
        duty=read_decimal(data["duty"]),
        vat=read_decimal(data["vat"]),
        valid_from=data["valid_from"],
        valid_until=data.get("valid_until"),
        preferences={code: read_decimal(rate) for code, rate in data.get("preferences", {}).items()},
    )


def _rule(data: Mapping[str, Any], *, known: bool = True) -> RiskRule:
    if known and data["condition"] not in CONDITIONS:
        raise UnknownCondition(f"{data['id']}: {data['condition']}")
    return RiskRule(
        id=data["id"],
        version=data["version"],
        condition=data["condition"],
        points=data["points"],
        valid_from=data["valid_from"],
        valid_until=data.get("valid_until"),
        lane=Lane(data["lane"]) if "lane" in data else None,
        parameters={name: tuple(values) for name, values in data.get("parameters", {}).items()},
    )
