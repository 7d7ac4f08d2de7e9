"""One shipment on a real platform, moved step by step by a test."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chaos.cells.ground import Ground
from chaos.harness.traffic import CONTROL, priced
from chaos.judging.invariants import Sent
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.doors import Doors, doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.partner_moves import MOVES, event
from trade_cli.platform import Platform as Told
from trade_cli.platform import load_platform

PATIENCE_SECONDS = 60.0


@dataclass
class Firms:
    """All clients of the platform, and what they have sent."""

    told: Told
    doors: Doors
    keys: Mapping[str, str]
    client: AsyncMongoClient[dict[str, Any]]
    seed: int
    sent: list[Sent] = field(default_factory=list)

    def shipment(self, number: int) -> "Shipment":
        return Shipment(self, f"6CN91370200MA3DEMX012-T{self.seed % 10**6:06}{number:03}", 2000 + number)


@asynccontextmanager
async def on_platform(
    ground: Ground, settings: Mapping[str, Mapping[str, str]] | None = None
) -> AsyncIterator[tuple[Platform, Firms]]:
    """All six services on a cell's own servers, with everybody enrolled."""
    folder = ground.folder / "platform"
    async with Platform(folder, infrastructure=ground.infrastructure, settings=settings) as platform:
        here, known = load_platform(platform.layout.description), facts()
        await register(here, known.enterprises)
        keys = await issue_keys(here, known.enterprises, known.partners, label=ground.name)
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(here.mongo_url, tz_aware=True)
        async with client, doors(here, patience_seconds=PATIENCE_SECONDS) as open_doors:
            yield platform, Firms(here, open_doors, keys, client, ground.seed)


@dataclass
class Shipment:
    """One import declaration and the partner events about it."""

    firms: Firms
    ucr: str
    price: int

    async def lodge(self) -> None:
        known = facts()
        lodged = priced(known.declaration, lrn=self.ucr[-10:], ucr=self.ucr, price=self.price)
        receipt = await self.firms.doors.lodge(self.firms.keys[known.declarant], lodged)
        self.firms.sent.append(Sent(f"declaration {self.ucr}", True, receipt["id"]))

    async def tell(
        self,
        move: str,
        *,
        due: Mapping[str, Any] | None = None,
        pays: str | None = None,
        references: Mapping[str, str] | None = None,
    ) -> str:
        """Let the partner of a move report it; return the id of the receipt."""
        said = event(self.ucr, move, now=datetime.now(UTC), due=due, pays=pays)
        if references is not None:
            said = {**said, "data": {**said["data"], "references": references}}
        partner = MOVES[move].partner
        receipt = await self.firms.doors.tell(self.firms.keys[partner], said)
        self.firms.sent.append(Sent(f"{partner} {said['id']}", True, receipt["id"]))
        return str(receipt["id"])

    async def state(self) -> Mapping[str, Any] | None:
        """As declarations has stored it."""
        found = await self.firms.client["declarations"]["declarations"].find_one({"state.declaration.ucr": self.ucr})
        return None if found is None else found["state"]

    async def until(self, *statuses: str) -> Mapping[str, Any]:
        """Its state once its status is one of these.

        Raises:
            AssertionError: it does not reach one.
        """

        async def there() -> Mapping[str, Any]:
            state = await self.state()
            assert state is not None, f"{self.ucr} is not there"
            assert state["status"] in statuses, f"{self.ucr} is {state['status']}"
            return state

        return await eventually(there, within_seconds=PATIENCE_SECONDS, every_seconds=0.2)

    async def until_assessed(self) -> Mapping[str, Any]:
        """Lodge it, report its arrival, and see it through to its assessment."""
        await self.lodge()
        await self.tell("arrival")
        return await self.assessed()

    async def assessed(self) -> Mapping[str, Any]:
        """See it through from its arrival to its assessment, whatever lane it falls into."""
        state = await self.until("under_control", "assessed", "released")
        if state["status"] == "under_control":
            await self.tell(CONTROL[state["routing"]["lane"]])
            state = await self.until("assessed", "released")
        return state

    async def pay(self, *, references: Mapping[str, str] | None = None) -> datetime:
        """Pay the assessed amount; return when the gateway received it."""
        state = await self.state()
        assert state is not None and state["assessment"] is not None
        owed = state["assessment"]
        receipt = await self.tell("payment", due=owed["total"], pays=owed["payment_reference"], references=references)
        return await self.received_at(receipt)

    async def received_at(self, receipt: str) -> datetime:
        found = await self.firms.client["gateway"]["partner_receipts"].find_one({"_id": receipt})
        assert found is not None, receipt
        return datetime.fromisoformat(found["state"]["received_at"])

    async def close(self) -> None:
        """Present it and take it away."""
        await self.tell("presentation")
        await self.until("released")
        await self.tell("removal")
        await self.until("closed")


async def passed(moment: datetime) -> None:
    """Wait until a moment has passed."""

    async def is_over() -> bool:
        return datetime.now(UTC) > moment

    await eventually(is_over, within_seconds=PATIENCE_SECONDS, every_seconds=0.2)


def told_of(world: Any, shipment_id: str) -> Sequence[str]:
    """The facts that declarations published of one declaration, in order: `accepted`, `assessed` …"""
    prefix = "trade.declarations.declaration."
    return [
        each.envelope.type.removeprefix(prefix).rpartition(".")[0]
        for each in world.first_said("declarations.events.v1").values()
        if each.envelope.subject == shipment_id
    ]
