"""Real WCO import declarations through the gateway's door: lodged as they stand, judged, accepted or named.

The documents were written by a customs administration for its own software. Those that say what their
goods are worth must nearly all be acceptable. Simplified and supplementary declarations leave the value
or the trade term to another document, which this platform does not take: they are rejected over
exactly that, item by item. What is rejected names its field.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chassis.testing import eventually
from gateway.formats.wco import read
from launcher.platform import Platform
from trade_cli.enrolment import Enterprise, Partner, issue_keys, register
from trade_cli.platform import Platform as Addresses

ORIGINALS = Path(__file__).resolve().parents[3] / "shared" / "data" / "wco" / "samples"
ROLES = ("declarant", "importer", "exporter", "agent", "carrier")
PORT = Partner(
    "port-of-entry",
    "port",
    places=("CNTAO", "GBASF", "GBBEL", "GBBLY", "GBLHR", "GBLIV", "GBTIL", "GBWLA", "GBWPT"),
)
"""At every place that an original names, and at the home office's for those that name none."""
AT_ONCE = 4
DECIDED = ("rejected", "submission_refused", "accepted", "assessed", "released", "removed", "closed")


@dataclass
class Lodged:
    """One document, and what became of it."""

    name: str
    declarant: str
    answer: Mapping[str, Any]
    receipt: Mapping[str, Any]

    @property
    def status(self) -> str:
        return str(self.receipt["status"])

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        errors: Sequence[Mapping[str, Any]] = self.receipt["declaration"].get("errors", ())
        return errors


def import_originals() -> dict[str, bytes]:
    """The original import declarations of the folder."""
    if not ORIGINALS.is_dir():
        pytest.skip(f"the WCO sample documents are not at {ORIGINALS}")
    bodies = {str(path.relative_to(ORIGINALS)): path.read_bytes() for path in sorted(ORIGINALS.rglob("*.[xX][mM][lL]"))}
    return {
        name: body
        for name, body in bodies.items()
        if b"WCOTypeName>DEC<" in body and b"FunctionCode>9<" in body and b"TypeCode>IM" in body
    }


def parties_of(bodies: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Document → numbers of the parties in it, `SCHEME:VALUE`; the declarant's under the empty name."""
    return {
        name: {f"{each['identifier']['scheme']}:{each['identifier']['value']}" for each in read(body).fields["parties"]}
        for name, body in bodies.items()
    }


def declarant_of(body: bytes) -> str:
    parties = read(body).fields["parties"]
    return next(
        f"{each['identifier']['scheme']}:{each['identifier']['value']}"
        for each in parties
        if each["role"] == "declarant"
    )


def says_its_values(lodged: Lodged) -> bool:
    """Whether every item has a price with a trade term, an amount by another method, or a stated value."""
    fields = read(import_originals()[lodged.name]).fields
    return all(
        any(name in item for name in ("customs_value", "statistical_value"))
        or ("price" in item and ("incoterm" in fields or item.get("valuation_method", "1") != "1"))
        for item in fields["goods"]
    )


def as_enterprise(number: str) -> Enterprise:
    scheme, _, value = number.partition(":")
    return Enterprise(scheme, value, scheme[:2].replace("XI", "GB"), value, ROLES, "", "en")


@pytest.fixture(scope="module")
async def lodged(platform: Platform) -> AsyncIterator[list[Lodged]]:
    """Every import original, lodged, its arrival reported, decided."""
    bodies = import_originals()
    addresses = Addresses.model_validate(platform.describe())
    firms = [as_enterprise(number) for number in sorted(set().union(*parties_of(bodies).values()))]
    await register(addresses, firms)
    keys = await issue_keys(addresses, firms, [PORT], label="test")
    async with httpx2.AsyncClient(base_url=addresses.gateway_url, timeout=30.0, trust_env=False) as http:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(name: str, body: bytes) -> Lodged:
            async with gate:
                return await _lodge(http, name, body, keys[declarant_of(body)])

        found = await asyncio.gather(*(one(name, body) for name, body in bodies.items()))
        await asyncio.gather(*(_settle(http, each, keys, gate) for each in found))
    yield list(found)


async def _lodge(http: httpx2.AsyncClient, name: str, body: bytes, key: str) -> Lodged:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/xml"}
    response = await http.post("/v1/declarations", content=body, headers=headers)
    assert response.status_code == 202, f"{name}: {response.text}"
    return Lodged(name, declarant_of(body), response.json(), {})


async def _settle(http: httpx2.AsyncClient, lodged: Lodged, keys: Mapping[str, str], gate: asyncio.Semaphore) -> None:
    """Report the arrival once the declaration waits for it; keep the receipt when it is decided."""
    headers = {"authorization": f"Bearer {keys[lodged.declarant]}"}

    async def has(statuses: Sequence[str]) -> bool:
        async with gate:
            response = await http.get(lodged.answer["status_url"], headers=headers)
        lodged.receipt = response.json()
        assert response.status_code == 200, response.text
        return lodged.status in statuses

    await eventually(lambda: has(("prelodged", *DECIDED)), within_seconds=90, every_seconds=0.5)
    if lodged.status == "prelodged":
        await _report_arrival(http, lodged, keys[PORT.code])
    await eventually(lambda: has(DECIDED), within_seconds=90, every_seconds=0.5)


async def _report_arrival(http: httpx2.AsyncClient, lodged: Lodged, key: str) -> None:
    event = {
        "specversion": "1.0",
        "id": f"arrival-{lodged.answer['id']}",
        "source": "/port-of-entry",
        "type": "trade.partners.shipment.arrived.v1",
        "data": {
            "classifier": "ACT",
            "occurred_at": datetime.now(UTC).isoformat(),
            "references": {"ucr": lodged.answer["ucr"]},
        },
    }
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents+json"}
    response = await http.post("/v1/events", json=event, headers=headers)
    assert response.status_code == 202, response.text


async def test_nine_in_ten_import_originals_that_state_their_values_end_accepted(lodged: list[Lodged]) -> None:
    stated = [each for each in lodged if says_its_values(each)]
    refused = {each.name: (each.status, each.errors) for each in stated if each.status in DECIDED[:2]}
    assert len(lodged) >= 110
    assert len(stated) >= 85
    assert len(refused) <= len(stated) * 0.1, refused


async def test_import_originals_that_do_not_state_their_values_are_rejected_over_that(lodged: list[Lodged]) -> None:
    silent = [each for each in lodged if not says_its_values(each)]
    assert silent
    for each in silent:
        assert each.status == "rejected", each
        codes = {error["code"] for error in each.errors}
        assert codes & {"declaration.value.missing", "declaration.incoterm.missing"}, each


async def test_no_import_original_is_assessed_on_a_value_of_zero(lodged: list[Lodged]) -> None:
    bases = [
        Decimal(line["base"])
        for each in lodged
        for step in each.receipt["declaration"]["steps"]
        for line in step.get("lines", ())
    ]
    assert len(bases) >= 85
    assert min(bases) > 0


async def test_every_rejection_names_a_field_and_a_reason(lodged: list[Lodged]) -> None:
    for each in lodged:
        if each.status not in DECIDED[:2]:
            assert each.receipt["declaration"]["declaration_number"]
            continue
        assert each.errors, each
        for error in each.errors:
            assert error["pointer"].startswith("/"), each
            assert error["text"] != error["code"], each


async def test_what_is_not_carried_is_listed_and_the_original_is_kept(lodged: list[Lodged], platform: Platform) -> None:
    addresses = Addresses.model_validate(platform.describe())
    bodies = import_originals()
    each = lodged[0]
    firm = as_enterprise(each.declarant)
    key = (await issue_keys(addresses, [firm], [], label="test"))[firm.id]
    async with httpx2.AsyncClient(base_url=addresses.gateway_url, trust_env=False) as http:
        url = f"{each.answer['status_url']}/original"
        response = await http.get(url, headers={"authorization": f"Bearer {key}"})
    assert response.content == bodies[each.name]
    assert "/Declaration/Exporter/Name" in set().union(*(one.receipt["not_read"] for one in lodged))
