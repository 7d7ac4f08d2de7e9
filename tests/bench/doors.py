"""A firm's POST until its 202 and until its first outcome, in comparison with a bare handler that does the same insert.

POSTs to the gateway and to the bare handler alternate, because a POST to the gateway causes work in six services on the
same servers, which slows down both alike.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
from chaos.toy.app import events_topic

from bench.figures import Aim, Figure, Tally, percentile
from bench.ground import Ground
from chassis.testing import eventually
from launcher.ports import PortBlock
from launcher.processes import Child
from trade_cli.demo_facts import facts
from trade_cli.enrolment import issue_keys, register
from trade_cli.load import shipments
from trade_cli.platform import load_platform

CLIENTS = 16
"""Number of clients that post without a pause, for saturation."""
PROBES = 2
"""At half of saturation, the bare handler gets one POST per this many of the gateway's: it measures the load without
adding to it."""
ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.02

Post = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
_TESTS = Path(__file__).parents[1]


class Firm:
    """A firm's client of the gateway or of the bare handler."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
        self.http = httpx2.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60, trust_env=False)

    async def post(self, declaration: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lodge; returns the receipt.

        Raises:
            AssertionError: it was not accepted.
        """
        answer = await self.http.post("/v1/declarations", content=json.dumps(declaration))
        assert answer.status_code == httpx2.codes.ACCEPTED, answer.text[:300]
        receipt: Mapping[str, Any] = answer.json()
        return receipt

    async def post_and_hear(self, declaration: Mapping[str, Any]) -> None:
        """Lodge, and poll the receipt until it has an outcome.

        Raises:
            AssertionError: there was no outcome in time.
        """
        receipt = await self.post(declaration)
        await eventually(lambda: self._heard(receipt), within_seconds=ANSWER_SECONDS, every_seconds=LOOK_SECONDS)

    async def _heard(self, receipt: Mapping[str, Any]) -> bool:
        return bool((await self.http.get(receipt["status_url"])).json()["status"] != "received")


async def measure(ground: Ground) -> list[Figure]:
    """Measure with one client, then at half of the gateway's saturation."""
    running = await ground.platform()
    client = load_platform(running.layout.description)
    told = facts()
    await register(client, told.enterprises)
    firms = [each for each in told.enterprises if each.id == told.declarant]
    keys = await issue_keys(client, firms, told.partners, label="bench doors")
    gateway, book = Firm(client.gateway_url, keys[told.declarant]), _Book()
    block = PortBlock()
    port = block.choose(["bare"], {})["bare"]
    child = await _bare_door(ground, port)
    bare = Firm(f"http://127.0.0.1:{port}", "-")
    try:
        await eventually(lambda: _answers(bare), within_seconds=60)
        return await _measure(ground, {"gateway": gateway, "bare": bare}, book)
    finally:
        await asyncio.gather(gateway.http.aclose(), bare.http.aclose(), child.stop())
        block.release()


async def _measure(ground: Ground, doors: Mapping[str, Firm], book: "_Book") -> list[Figure]:
    posts, few = ground.size(60, 3), ground.size(10, 2)
    await _in_turns(doors, book, few)
    saturated = Tally()
    for name, door in doors.items():
        saturated.add(name, await _saturated(door.post, book.take(ground.size(160, 4))))
    rate = saturated.rows["gateway"][0] / 2
    alone, unnamed, half, heard, heard_half = Tally(), Tally(), Tally(), Tally(), Tally()
    for _ in range(ground.rounds):
        for name, seconds in (await _in_turns(doors, book, posts)).items():
            _note(alone, name, seconds)
        _note(unnamed, "gateway", [await _timed(doors["gateway"].post, each) for each in book.take(posts, named=False)])
        _note(heard, "gateway", [await _timed(doors["gateway"].post_and_hear, each) for each in book.take(few)])
        taken, beside = await asyncio.gather(
            _paced(doors["gateway"].post, book.take(posts), rate),
            _paced(doors["bare"].post, book.take(posts // PROBES), rate / PROBES),
        )
        _note(half, "gateway", taken)
        _note(half, "bare", beside)
        _note(heard_half, "gateway", await _paced(doors["gateway"].post_and_hear, book.take(few * 2), rate))
    load = f"at {rate:.0f}/s, half of the gateway's saturation"
    return [
        Figure("POST at saturation, 16 clients", "per s", saturated.rows, ("gateway", "bare")),
        *_latencies("POST to 202, one client", alone),
        *_latencies("POST to 202 without a reference of the firm's, one client", unnamed),
        *_latencies(f"POST to 202 {load}", half),
        *_latencies("POST to first answer, one client", heard),
        *_latencies(f"POST to first answer {load}", heard_half),
    ]


def _note(tally: Tally, name: str, seconds: Sequence[float]) -> None:
    for rank in (50, 99):
        tally.add(f"{name} p{rank}", percentile(seconds, rank) * 1000)


def _latencies(name: str, tally: Tally) -> list[Figure]:
    """p50 and p99, each with the bare handler's if measured."""
    figures = []
    for rank in (50, 99):
        rows = {row: samples for row, samples in tally.rows.items() if row.endswith(f"p{rank}")}
        both = (f"gateway p{rank}", f"bare p{rank}") if len(rows) > 1 else None
        aim = Aim(2.0) if both and rank == 99 else None
        figures.append(Figure(f"{name}, p{rank}", "ms", rows, both, aim))
    return figures


async def _in_turns(doors: Mapping[str, Firm], book: "_Book", posts: int) -> dict[str, list[float]]:
    """One POST after the other, alternating between gateway and bare handler."""
    seconds: dict[str, list[float]] = {name: [] for name in doors}
    for declaration in book.take(posts):
        for name, door in doors.items():
            seconds[name].append(await _timed(door.post, declaration))
    return seconds


async def _paced(post: Callable[[Mapping[str, Any]], Awaitable[Any]], book: Sequence[Any], rate: float) -> list[float]:
    """Start POSTs at equal intervals, whether earlier ones are answered or not."""

    async def one(number: int, declaration: Any) -> float:
        await asyncio.sleep(number / rate)  # the start times are the load
        return await _timed(post, declaration)

    return list(await asyncio.gather(*(one(number, each) for number, each in enumerate(book))))


async def _saturated(post: Post, book: Sequence[Any]) -> float:
    """POSTs per second when all clients post without a pause."""
    left = iter(book)

    async def one() -> None:
        for declaration in left:
            await post(declaration)

    begun = time.monotonic()
    await asyncio.gather(*(one() for _ in range(CLIENTS)))
    return len(book) / (time.monotonic() - begun)


async def _timed(post: Callable[[Mapping[str, Any]], Awaitable[Any]], declaration: Any) -> float:
    begun = time.perf_counter()
    await post(declaration)
    return time.perf_counter() - begun


class _Book:
    """Distinct declarations."""

    def __init__(self) -> None:
        self._seed = 1_000

    def take(self, count: int, *, named: bool = True) -> list[Mapping[str, Any]]:
        """Declarations with the firm's own reference, as its system would give it, or without."""
        self._seed += 1
        taken = [each.declaration for each in shipments(facts(), count, self._seed)]
        if not named:
            return taken
        return [{**each, "ucr": f"6CN{self._seed}-{number}"} for number, each in enumerate(taken)]


async def _bare_door(ground: Ground, port: int) -> Child:
    topic = events_topic("benchdoor.v1")
    await ground.infrastructure.create_topics([topic])
    where = [ground.servers.kafka, ground.servers.mongo, topic.name, str(port)]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    log = ground.folder / "bare_door.log"
    child = Child("bare door", [sys.executable, "-m", "bench.bare_door", *where], log=log, environment=environment)
    child.start()
    return child


async def _answers(firm: Firm) -> bool:
    try:
        return (await firm.http.get("/")).status_code == httpx2.codes.NOT_FOUND
    except httpx2.TransportError:
        return False
