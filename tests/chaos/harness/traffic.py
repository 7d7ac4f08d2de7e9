"""Seeded traffic through the public doors: shipments that partners see through to their closing.

Every submission carries an id and is retried until the door accepts it, like a partner's system
would. Submissions and their answers are recorded in `sent`: the oracle that the checker judges
against. Some events come early, some twice, some are only planned, some place a hold.
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from chaos.judging.invariants import Sent
from pymongo import AsyncMongoClient

from contracts.codes import countries
from trade_cli.demo_facts import Facts
from trade_cli.doors import Doors
from trade_cli.partner_moves import MOVES, event

LOOK_SECONDS = 1.0
CONTROL = {"yellow": "document_check", "red": "inspection"}
"""Lane → the move that ends its control."""


def priced(declaration: Mapping[str, Any], *, lrn: str, ucr: str, price: int) -> Mapping[str, Any]:
    """A declaration of one item with its own references and price in pounds, on which routing and assessment depend."""
    money = {"amount": str(price), "currency": "GBP"}
    (item,) = declaration["goods"]
    return {**declaration, "lrn": lrn, "ucr": ucr, "total_price": money, "goods": [{**item, "price": money}]}


@dataclass
class Traffic:
    """The shipments of one seed."""

    doors: Doors
    keys: Mapping[str, str]
    facts: Facts
    mongo_url: str
    shipments: int
    seed: int
    sent: list[Sent] = field(default_factory=list)
    answers: frozenset[str] = frozenset(MOVES)
    """The moves that partners make; fewer leave shipments waiting on their way."""
    done: frozenset[str] = frozenset({"closed"})
    """The states in which a shipment is left alone."""
    _lodged: bool = False
    _told: dict[str, set[str]] = field(default_factory=dict)

    @property
    def ucrs(self) -> list[str]:
        return [f"6CN91370200MA3DEMX012-S{self.seed}-{number:03}" for number in range(self.shipments)]

    def another(self, seed: int) -> "Traffic":
        """The same number of further shipments by the same parties."""
        return Traffic(self.doors, self.keys, self.facts, self.mongo_url, self.shipments, seed)

    async def run(self, until_seconds: float) -> None:
        """Lodge everything once, and send each awaited event until every shipment is done.

        Raises:
            TimeoutError: some were not done in time.
        """
        chance = random.Random(self.seed)
        async with asyncio.timeout(until_seconds), asyncio.TaskGroup() as group:
            for number, ucr in enumerate(self.ucrs if not self._lodged else ()):
                group.create_task(self._open(number, ucr, chance.random(), chance.uniform(0, 12)))
            if not self._lodged:
                group.create_task(self._seek_capital(chance.uniform(0, 6), chance.uniform(2, 6)))
            self._lodged = True
            await self._see_through()

    async def open_one(self) -> None:
        """Lodge only the first declaration, at once, without other events."""
        self._lodged = True
        await self._open(0, self.ucrs[0], 0.5, 0.0)

    async def _open(self, number: int, ucr: str, kind: float, delay: float) -> None:
        """Lodge one declaration at its moment, with its early, concurrent and repeated events."""
        await asyncio.sleep(delay)  # when firms lodge is part of the traffic
        declaration = priced(self.facts.declaration, lrn=f"S{self.seed}-{number:03}", ucr=ucr, price=2000 + number)
        if kind < 0.2:
            await self._tell(ucr, "arrival")
        if kind < 0.1:
            await self._hold(ucr, "hold.placed")
        receipt = await self.doors.lodge(self.keys[self.facts.declarant], declaration)
        self.sent.append(Sent(f"declaration {ucr}", True, receipt["id"]))
        if kind > 0.8:
            again = await self.doors.lodge(self.keys[self.facts.declarant], declaration)
            self.sent.append(Sent(f"declaration {ucr}", True, again["id"]))
        if kind > 0.9:
            await self._plan(ucr)
        if kind < 0.1:
            await self._hold(ucr, "hold.lifted")

    async def _seek_capital(self, delay: float, later: float) -> None:
        """Submit a project and a mandate that fit each other and none of another seed; later resubmit the project."""
        project, mandate = self.facts.project, self.facts.mandate
        known = sorted(countries() - set(mandate.terms.get("excluded_countries", ())))
        country = known[self.seed % len(known)]
        for pause, submit, kind, listing, terms in (
            (delay, self.doors.submit_project, "project", project, {"country": country}),
            (0, self.doors.submit_mandate, "mandate", mandate, {"countries": [country]}),
            (later, self.doors.submit_project, "changed", project, {"country": country, "stage": "construction"}),
        ):
            await asyncio.sleep(pause)  # when firms submit is part of the traffic
            reference = f"{listing.reference}-S{self.seed}"
            receipt = await submit(self.keys[listing.firm], {**listing.terms, **terms, "reference": reference})
            self.sent.append(Sent(f"{kind} {reference}", True, receipt["id"]))

    async def _see_through(self) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.mongo_url)
        try:
            shown = {
                "state.status": 1,
                "state.declaration.ucr": 1,
                "state.routing.lane": 1,
                "state.assessment.total": 1,
                "state.assessment.payment_reference": 1,
            }
            done: set[str] = set()
            while len(done) < self.shipments:
                wanted = {"state.declaration.ucr": {"$in": sorted(set(self.ucrs) - done)}}
                with contextlib.suppress(Exception):  # the database is killed too
                    async for document in client["declarations"]["declarations"].find(wanted, shown):
                        state = document["state"]
                        if state["status"] in self.done:
                            done.add(state["declaration"]["ucr"])
                        await self._answer(state)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await client.close()

    async def _answer(self, state: Mapping[str, Any]) -> None:
        ucr = state["declaration"]["ucr"]
        match state["status"]:
            case "prelodged":
                await self._tell(ucr, "arrival")
            case "under_control":
                await self._tell(ucr, CONTROL[state["routing"]["lane"]])
            case "assessed":
                await self._tell(ucr, "payment", state["assessment"])
                await self._tell(ucr, "presentation")
            case "released":
                await self._tell(ucr, "removal")

    async def _tell(self, ucr: str, waiting_for: str, owed: Mapping[str, Any] | None = None) -> None:
        told = self._told.setdefault(ucr, set())
        if waiting_for in told or waiting_for not in self.answers:
            return
        told.add(waiting_for)
        due, pays = (owed["total"], owed["payment_reference"]) if owed else (None, None)
        if crc32(f"{ucr} names".encode()) % 4 == 0:
            pays = None  # a bank that names the UCR alone: the money goes over its account
        said = event(ucr, waiting_for, now=datetime.now(UTC), due=due, pays=pays)
        await self._give(MOVES[waiting_for].partner, said)
        if crc32(f"{ucr} {waiting_for}".encode()) % 5 == 0:
            await self._give(MOVES[waiting_for].partner, said)

    async def _plan(self, ucr: str) -> None:
        said = event(ucr, "removal", now=datetime.now(UTC))
        planned = {**said, "id": f"{said['id']}/planned", "data": {**said["data"], "classifier": "PLN"}}
        await self._give("port-qd", planned)

    async def _hold(self, ucr: str, fact: str) -> None:
        said = event(ucr, "exit", now=datetime.now(UTC))
        data = {**said["data"], "hold": "quarantine"}
        await self._give(
            "agency-qd",
            {**said, "id": f"{ucr}/{fact}", "source": "/agency-qd", "type": f"trade.partners.{fact}.v1", "data": data},
        )

    async def _give(self, partner: str, said: Mapping[str, Any]) -> None:
        receipt = await self.doors.tell(self.keys[partner], said)
        self.sent.append(Sent(f"{partner} {said['id']}", True, receipt["id"]))
