"""Who may move what, on real parts: a stranger's word is kept and told so, and moves nothing."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import httpx2
import pytest

from chassis.testing import eventually
from contracts.texts import text
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.enrolment import Partner, issue_keys, register
from trade_cli.partner_moves import event
from trade_cli.platform import Platform as Addresses

PORT = next(each for each in facts().partners if each.code == "port-qd")
STRANGER = Partner("sea-nowhere", "carrier", carriers=("KZ-BIN:850101300015",))
CARRIER = Partner("sea-kz", "carrier", carriers=("KZ-BIN:190540000014",))
"""The one that the declaration names."""
ALMATY = Partner("port-almaty", "port", places=("KZALA",))


@dataclass
class Shipment:
    """A declaration that waits for its goods, and the doors of everybody."""

    http: httpx2.AsyncClient
    keys: Mapping[str, str]
    ucr: str
    status_url: str

    async def tell(self, partner: str, **data: Any) -> dict[str, Any]:
        """Report the arrival as a partner; the receipt as that partner reads it once it is decided."""
        said = {**event(self.ucr, "arrival", now=datetime.now(UTC)), "id": uuid4().hex, "source": f"/{partner}"}
        said["data"] = {**said["data"], **data}
        headers = {"content-type": "application/cloudevents+json"}
        answer = await self._as(partner, "POST", "/v1/events", content=json.dumps(said), headers=headers)
        assert answer.status_code == 202, answer.text

        async def decided() -> Any:
            receipt = (await self._as(partner, "GET", answer.json()["status_url"])).json()
            return receipt if receipt["status"] != "waiting" else None

        receipt: dict[str, Any] = await eventually(decided, within_seconds=60)
        return receipt

    async def status(self) -> str:
        return str((await self._as(facts().declarant, "GET", self.status_url)).json()["status"])

    async def _as(self, who: str, method: str, path: str, **rest: Any) -> httpx2.Response:
        headers = {**rest.pop("headers", {}), "authorization": f"Bearer {self.keys[who]}"}
        return await self.http.request(method, path, headers=headers, **rest)


@pytest.fixture
async def shipment(platform: Platform) -> AsyncIterator[Shipment]:
    """The demonstration's declaration under names of its own, prelodged."""
    addresses, told = Addresses.model_validate(platform.describe()), facts()
    await register(addresses, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(addresses, firms, [PORT, STRANGER, CARRIER, ALMATY], label="authority")
    mark = uuid4().hex[:10].upper()
    declaration = {**told.declaration, "lrn": f"A-{mark}", "ucr": f"6CN91370200MA3DEMX012-{mark}"}
    async with httpx2.AsyncClient(base_url=addresses.gateway_url, timeout=30, trust_env=False) as http:
        headers = {"authorization": f"Bearer {keys[told.declarant]}"}
        answer = (await http.post("/v1/declarations", json=declaration, headers=headers)).json()
        found = Shipment(http, keys, answer["ucr"], answer["status_url"])

        async def prelodged() -> bool:
            return await found.status() == "prelodged"

        assert await eventually(prelodged, within_seconds=60)
        yield found


async def test_a_carrier_named_nowhere_moves_nothing_and_reads_so(shipment: Shipment) -> None:
    told = await shipment.tell(STRANGER.code, location={"unlocode": "KZALA"})
    assert told["status"] == "without_effect"
    (outcome,) = told["outcomes"]
    assert (outcome["reason"], outcome["text"]) == ("not_concerned", text("effect.not_concerned", "en"))
    assert (await shipment.tell(ALMATY.code, location={"unlocode": "KZALA"}))["status"] == "without_effect"
    assert await shipment.status() == "prelodged"
    assert (await shipment.tell(CARRIER.code))["status"] == "applied"
    assert await shipment.status() != "prelodged"


async def test_a_port_moves_what_is_declared_at_its_place(shipment: Shipment) -> None:
    assert (await shipment.tell(PORT.code))["status"] == "applied"
    assert await shipment.status() != "prelodged"


@pytest.mark.usefixtures("shipment")
async def test_a_partner_gets_no_second_role_without_a_word(platform: Platform) -> None:
    addresses = Addresses.model_validate(platform.describe())
    with pytest.raises(grpc.aio.AioRpcError, match="role is permanent"):
        await issue_keys(addresses, [], [Partner(PORT.code, "bank")], label="second role")
