"""Load for a running platform: seeded shipments through the public doors, and how long their steps took."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx2

from trade_cli.demo_facts import Facts
from trade_cli.doors import Doors
from trade_cli.partner_moves import MOVES, event, money_of
from trade_cli.platform import CliError
from trade_cli.tracking_client import TrackingClient, View
from values.moments import read_moment

MILESTONES = ("lodged", "accepted", "released", "closed")
LOOK_SECONDS = 0.2
SHIPMENT_SECONDS = 180.0
CLOCKS_SECONDS = 5.0
"""An acceptance so long before the lodging was another run's."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment of the load, drawn from the seed."""

    lrn: str
    declaration: Mapping[str, Any]


@dataclass
class Times:
    """When a shipment reached its milestones, in seconds of this process's clock."""

    lrn: str
    at: dict[str, float] = field(default_factory=dict)
    problem: str = ""

    @property
    def closed(self) -> bool:
        return "closed" in self.at and not self.problem


def shipments(facts: Facts, count: int, seed: int) -> list[Shipment]:
    """The load's shipments: the demonstration's goods with seeded masses and prices; the same seed, the same load."""
    draw = random.Random(seed)  # noqa: S311 - a load, not a secret
    return [_shipment(facts, number, seed, draw) for number in range(count)]


def _shipment(facts: Facts, number: int, seed: int, draw: random.Random) -> Shipment:
    lrn = f"SIM-{seed}-{number:06d}"
    net, price = draw.randint(500, 20_000), draw.randint(1_000, 90_000)
    gross, packages = net + net // 50, draw.randint(1, 40)
    money = {"amount": str(price), "currency": "GBP"}
    (item,) = facts.declaration["goods"]
    goods = {
        **item,
        "net_mass_kg": str(net),
        "gross_mass_kg": str(gross),
        "packages": packages,
        "price": money,
    }
    transport = {**facts.declaration["transport"], "document": f"SIM{seed}{number:06d}"}
    declaration = {
        **facts.declaration,
        "lrn": lrn,
        "goods": [goods],
        "total_price": money,
        "total_gross_mass_kg": str(gross),
        "total_packages": packages,
        "transport": transport,
    }
    return Shipment(lrn, declaration)


class Load:
    """Plays shipments side by side."""

    def __init__(self, doors: Doors, tracking: TrackingClient, keys: Mapping[str, str], declarant: str) -> None:
        self._doors = doors
        self._tracking = tracking
        self._keys = keys
        self._declarant = declarant

    async def run(self, load: Sequence[Shipment], *, side_by_side: int) -> list[Times]:
        """Play all, so many at a time; one that fails does not end the others."""
        slots = asyncio.Semaphore(side_by_side)

        async def one(shipment: Shipment) -> Times:
            times = Times(shipment.lrn)
            async with slots:
                try:
                    await self._play(shipment, times)
                except CliError as error:
                    times.problem = str(error)
            return times

        return list(await asyncio.gather(*(one(each) for each in load)))

    async def _play(self, shipment: Shipment, times: Times) -> None:
        receipt = await self._doors.lodge(self._keys[self._declarant], shipment.declaration)
        times.at["lodged"] = time.monotonic()
        ucr, told = str(receipt["ucr"]), set[str]()
        deadline = time.monotonic() + SHIPMENT_SECONDS
        while not times.closed:
            if time.monotonic() > deadline:
                raise CliError(f"{shipment.lrn} is not closed after {SHIPMENT_SECONDS:.0f} s")
            try:
                view = await self._tracking.shipment(ucr, spans=False)
            except httpx2.TransportError:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            _note(view, times)
            if times.at.get("accepted", times.at["lodged"]) < times.at["lodged"] - CLOCKS_SECONDS:
                raise CliError(f"{shipment.lrn} was played before: take another seed")
            moved = [await self._answer(ucr, each["waiting_for"], view, told) for each in view["situations"]]
            if not any(moved):
                await asyncio.sleep(LOOK_SECONDS)

    async def _answer(self, ucr: str, waiting_for: str, view: View, told: set[str]) -> bool:
        if waiting_for == "correction":
            raise CliError(f"{ucr} was rejected")
        if waiting_for not in MOVES or waiting_for in told:
            return False
        duty = view["duties"][-1] if view["duties"] else None
        due, pays = (money_of(duty["total"]), duty["payment_reference"]) if duty else (None, None)
        said = event(ucr, waiting_for, now=datetime.now(UTC), due=due, pays=pays)
        await self._doors.tell(self._keys[MOVES[waiting_for].partner], said)
        told.add(waiting_for)
        return True


def _note(view: View, times: Times) -> None:
    """When the platform stated each milestone, on this process's clock; both clocks are one machine's."""
    offset = time.monotonic() - time.time()
    for step in view["steps"]:
        fact = step["type"].split(".")[3]
        if step["type"].startswith("trade.declarations.declaration.") and fact in MILESTONES:
            times.at.setdefault(fact, read_moment(step["stated_at"]["iso"]).timestamp() + offset)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th, 99th percentile and the longest, by the nearest rank; nothing of nothing."""
    ranked = sorted(seconds)
    if not ranked:
        return {}
    found = {name: ranked[max(0, -(-len(ranked) * rank // 100) - 1)] for name, rank in _RANKS.items()}
    return {name: round(value, 3) for name, value in found.items()}


_RANKS = {"p50": 50, "p95": 95, "p99": 99, "max": 100}


def report(times: Sequence[Times], seconds: float) -> dict[str, Any]:
    """Counts, throughput, and the percentiles of every step between milestones, in seconds."""
    done = [each for each in times if each.closed]
    stages = (*pairwise(MILESTONES), (MILESTONES[0], MILESTONES[-1]))
    steps = {f"{start}_to_{end}": percentiles(_between(done, start, end)) for start, end in stages}
    return {
        "shipments": len(times),
        "closed": len(done),
        "seconds": round(seconds, 2),
        "shipments_per_second": round(len(done) / seconds, 2) if seconds else 0.0,
        "latency_seconds": steps,
        "problems": [f"{each.lrn}: {each.problem}" for each in times if each.problem][:20],
    }


def _between(times: Sequence[Times], start: str, end: str) -> list[float]:
    return [each.at[end] - each.at[start] for each in times if start in each.at and end in each.at]
