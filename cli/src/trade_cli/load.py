"""Load for a running platform: plays seeded shipments through the public doors and times their steps.

Firms and partners of the load react to the published events of declarations, as real ones do; they do not poll.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from trade_cli.declaration_feed import Feed, Said
from trade_cli.demo_facts import Facts
from trade_cli.doors import Doors
from trade_cli.partner_moves import MOVES, event
from trade_cli.partner_posts import PartnerPosts
from trade_cli.platform import CliError
from values.references import ContainerNumber

MILESTONES = ("lodged", "accepted", "released", "closed")
BEGUN = "begun"
"""When a shipment was to be lodged: waiting at the door counts in the result."""
SHIPMENT_SECONDS = 180.0
"""A shipment without any event for so long counts as failed."""
_CONTAINERS = 5_000
"""Containers, used by the shipments in turn."""
_FAILED = {"rejected": "was rejected", "submission_refused": "was refused"}


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment of the load, drawn from the seed."""

    lrn: str
    declaration: Mapping[str, Any]


@dataclass
class Times:
    """When a shipment reached its milestones, in seconds of the monotonic clock."""

    lrn: str
    at: dict[str, float] = field(default_factory=dict)
    problem: str = ""

    @property
    def closed(self) -> bool:
        return "closed" in self.at and not self.problem


def shipments(facts: Facts, count: int, seed: int) -> list[Shipment]:
    """The shipments: the demonstration's goods with seeded masses and prices; the same seed gives the same load."""
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
    transport = {
        **facts.declaration["transport"],
        "document": f"SIM{seed}{number:06d}",
        "containers": [_container(draw.randrange(_CONTAINERS))],
    }
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


def _waits_for(said: Said) -> str:
    """What a declaration waits for after an event; empty: nothing that a partner of the load answers."""
    match said.fact:
        case "prelodged":
            return "arrival"
        case "accepted":
            return "presentation"
        case "documents_requested":
            return "documents"
        case "routed" if said.payload["lane"] == "yellow":
            return "document_check"
        case "inspection_ordered":
            return "inspection"
        case "assessed" if said.payload.get("payment_reference"):
            return "payment"
        case "released":
            return "removal" if said.payload["direction"] == "import" else "exit"
    return ""


def _container(number: int) -> str:
    first_ten = f"SIMU{number:06d}"
    return f"{first_ten}{ContainerNumber.check_digit(first_ten)}"


class Load:
    """Plays shipments concurrently."""

    def __init__(self, doors: Doors, feed: Feed, keys: Mapping[str, str], declarant: str) -> None:
        self._doors = doors
        self._posts = PartnerPosts(doors)
        self._feed = feed
        self._keys = keys
        self._declarant = declarant
        self.times: list[Times] = []
        """Times of every shipment begun, also if the load is stopped."""

    async def run(self, load: Sequence[Shipment], *, side_by_side: int, rate: float | None = None) -> list[Times]:
        """Play all; a failed one does not stop the others.

        Args:
            side_by_side: maximum number in progress.
            rate: number begun per second, whatever the progress of earlier ones; None: begin one when one ends.
        """
        slots = asyncio.Semaphore(side_by_side)
        begun = time.monotonic()

        async def one(shipment: Shipment, due: float) -> None:
            times = Times(shipment.lrn, {BEGUN: due})
            self.times.append(times)
            try:
                await self._play(shipment, times)
            except CliError as error:
                times.problem = str(error)
            finally:
                self._feed.forget(shipment.lrn)
                slots.release()

        async with asyncio.TaskGroup() as playing:
            for number, shipment in enumerate(load):
                due = begun + number / rate if rate is not None else None
                if due is not None:
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                await slots.acquire()
                playing.create_task(one(shipment, time.monotonic() if due is None else due))
        return self.times

    async def _play(self, shipment: Shipment, times: Times) -> None:
        heard = self._feed.listen(shipment.lrn)
        receipt = await self._doors.lodge(self._keys[self._declarant], shipment.declaration)
        times.at["lodged"] = time.monotonic()
        if receipt.get("duplicate"):
            raise CliError(f"{shipment.lrn} was played before: take another seed")
        while not times.closed:
            try:
                # Not `wait_for`: it loses a cancellation that coincides with an event.
                async with asyncio.timeout(SHIPMENT_SECONDS):
                    said = await heard.get()
            except TimeoutError:
                raise CliError(f"{shipment.lrn}: no event for {SHIPMENT_SECONDS:.0f} s") from None
            if said.fact in _FAILED:
                raise CliError(f"{shipment.lrn} {_FAILED[said.fact]}")
            if said.fact in MILESTONES:
                times.at.setdefault(said.fact, said.at.timestamp() + time.monotonic() - time.time())
            if waiting_for := _waits_for(said):
                await self._answer(waiting_for, said.payload)

    async def _answer(self, waiting_for: str, payload: Mapping[str, Any]) -> None:
        due, pays = payload.get("total"), payload.get("payment_reference")
        told = event(payload["ucr"], waiting_for, now=datetime.now(UTC), due=due, pays=pays)
        await self._posts.tell(self._keys[MOVES[waiting_for].partner], told)


async def progress(load: Load, count: int, every_seconds: float, tell: Callable[[str], None]) -> None:
    """Report progress periodically, for ever."""
    before = 0
    while True:
        await asyncio.sleep(every_seconds)
        closed = sum(each.closed for each in load.times)
        failed = sum(bool(each.problem) for each in load.times)
        under_way = len(load.times) - closed - failed
        rate = (closed - before) / every_seconds
        tell(f"{closed} of {count} closed, {under_way} under way, {failed} failed; {rate:.1f} closed a second")
        before = closed


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile (nearest rank) and maximum; empty for no values."""
    ranked = sorted(seconds)
    if not ranked:
        return {}
    found = {name: ranked[max(0, -(-len(ranked) * rank // 100) - 1)] for name, rank in _RANKS.items()}
    return {name: round(value, 3) for name, value in found.items()}


_RANKS = {"p50": 50, "p95": 95, "p99": 99, "max": 100}


def report(times: Sequence[Times], seconds: float) -> dict[str, Any]:
    """Counts, throughput, and percentiles of the time between milestones in seconds, of shipments begun."""
    done = [each for each in times if each.closed]
    stages = (*pairwise((BEGUN, *MILESTONES)), (MILESTONES[0], MILESTONES[-1]))
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
