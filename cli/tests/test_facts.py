"""The demonstration's data: true to its source, valid by the contracts, on an SCO route; the load derives from it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.gateway.v1 import Declaration, Mandate, Project
from contracts.partners.v1 import EVENTS
from trade_cli.demo_facts import facts
from trade_cli.load import percentiles, shipments
from trade_cli.partner_moves import MOVES, event, money_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MEMBERS = {"BY", "CN", "IN", "IR", "KG", "KZ", "PK", "RU", "TJ", "UZ"}
SOURCE = Path(__file__).parents[3] / "shared/data/wco/samples/TT_IM058a/TT_IM058a.xml"


def test_the_declaration_and_the_listings_are_right_by_the_contracts() -> None:
    told = facts()
    Declaration.model_validate({**told.declaration, "ucr": "-"})
    Project.model_validate(told.project.terms)
    Mandate.model_validate(told.mandate.terms)


def test_all_parties_are_of_member_states_and_registered() -> None:
    told = facts()
    named = {f"{each['identifier']['scheme']}:{each['identifier']['value']}" for each in told.declaration["parties"]}
    assert named <= {each.id for each in told.enterprises}
    assert {each.country for each in told.enterprises} <= MEMBERS
    assert {told.declaration["dispatch_country"], told.declaration["destination_country"]} <= MEMBERS
    assert {told.project.firm, told.mandate.firm} <= {each.id for each in told.enterprises}
    assert told.languages == {"zh", "ru", "en"}


@pytest.mark.skipif(not SOURCE.exists(), reason=f"the WCO documents are not here: {SOURCE}")
def test_goods_masses_values_and_code_are_those_of_the_source() -> None:
    tree = ElementTree.parse(SOURCE)  # noqa: S314 - a file of ours
    source: dict[str, list[str]] = {}
    for element in tree.iter():
        source.setdefault(element.tag.rpartition("}")[2], []).append((element.text or "").strip())
    (item,) = facts().declaration["goods"]
    assert item["gross_mass_kg"] in source["GrossMassMeasure"]
    assert item["net_mass_kg"] in source["NetNetWeightMeasure"]
    assert item["price"]["amount"] in source["ItemChargeAmount"]
    assert str(item["packages"]) in source["TotalPackageQuantity"]
    assert item["commodity_code"][:8] in source["ID"]
    assert item["commodity_code"][8:] in source["ID"]
    assert facts().declaration["incoterm"] in source["ConditionCode"]
    assert item["origin"] in source["CountryCode"]


@pytest.mark.parametrize("waiting_for", MOVES)
def test_every_move_is_an_event_that_its_contract_takes(waiting_for: str) -> None:
    said = event("6CN1", waiting_for, now=NOW, due={"amount": "1.50", "currency": "CNY"})
    stamps = {"received_at": NOW.isoformat(), "publisher": "p", "publisher_role": "port", "submission_id": said["id"]}
    contract = EVENTS[said["type"]]
    given_fields: Mapping[str, Any] = {**said["data"], **stamps}
    optional = {name for name, field in contract.model_fields.items() if not field.is_required()}
    assert set(contract.model_fields) - optional - set(given_fields) <= {"receipt"}
    assert {code: MOVES[code].partner for code in MOVES}[waiting_for] in {each.code for each in facts().partners}


def test_a_move_that_is_told_twice_has_one_id() -> None:
    later = datetime(2026, 2, 1, tzinfo=UTC)
    assert event("6CN1", "arrival", now=NOW)["id"] == event("6CN1", "arrival", now=later)["id"]
    assert event("6CN1", "arrival", now=NOW)["id"] != event("6CN2", "arrival", now=NOW)["id"]


def test_money_is_read_as_tracking_writes_it() -> None:
    assert money_of("655000.00 CNY") == {"amount": "655000.00", "currency": "CNY"}
    assert money_of("") is None


def test_the_same_seed_gives_the_same_load_and_right_declarations() -> None:
    first, again, other = (shipments(facts(), 20, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    for each in first:
        declaration = Declaration.model_validate({**each.declaration, "ucr": "-"})
        assert declaration.goods[0].gross_mass_kg == declaration.total_gross_mass_kg


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_percentiles_are_measured_values_in_order(seconds: list[float]) -> None:
    found = percentiles(seconds)
    ranked = list(found.values())
    assert ranked == sorted(ranked)
    assert found["max"] == round(max(seconds), 3)
    assert {round(each, 3) for each in seconds} >= set(ranked)
    assert percentiles([]) == {}


def test_percentiles_take_the_nearest_rank() -> None:
    assert percentiles([float(each) for each in range(1, 101)]) == {"p50": 50, "p95": 95, "p99": 99, "max": 100}
