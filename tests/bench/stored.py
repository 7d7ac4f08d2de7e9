"""The cost of one step when a thousand, ten thousand or a hundred thousand shipments are already stored."""

from datetime import UTC, datetime
from typing import Any

from chaos.toy.aggregates import counter_type
from chaos.toy.app import events_topic
from chaos.toy.domain import Count, Rules
from pymongo import AsyncMongoClient

from bench.contenders import Contender, contenders, order_book
from bench.figures import Aim, Figure, Tally
from bench.ground import Ground
from chassis.aggregates import Input
from chassis.aggregates.document import Document
from chassis.testing import MemoryDocuments, in_memory

SIZES = (1_000, 10_000, 100_000)
SMALL_SIZES = (20, 50)
CHUNK = 1_000
_KINDS = ("core", "floor")


async def measure(ground: Ground) -> list[Figure]:
    """Measure each size in its own database. The floor shows the cost of the database alone.

    Indexes are created before the first document. Each order of a turn changes one stored counter.
    """
    sizes = SMALL_SIZES if ground.sizes.small else SIZES
    orders = ground.size(600, 10)
    wall, cpu = Tally(), Tally()
    places = {f"{kind}{size}": (kind, size) for size in sizes for kind in _KINDS}
    async with contenders(ground.servers, ground.folder, {name: kind for name, (kind, _) in places.items()}) as all_:
        for name, contender in all_.items():
            await contender.turn(order_book(f"{name}warm", orders // 4, hops=0))  # which also creates its indexes
            await _preload(contender, places[name][1])
        for number in range(ground.rounds):
            for name, contender in all_.items():
                kind, size = places[name]
                step = max(1, size // orders)
                chosen = [stored_id(n * step) for n in range(min(orders, size))]
                turn = await contender.turn(order_book(f"{name}-{number}", orders, hops=0, counters=chosen))
                wall.add(_row(kind, size), turn.seconds * 1000 / turn.steps)
                cpu.add(_row(kind, size), turn.cpu_ms_per_step)
    figures = []
    for kind in _KINDS:
        ends = (_row(kind, sizes[-1]), _row(kind, sizes[0]))
        aim = Aim(1.15) if kind == "core" else None
        for name, tally in (("Time", wall), ("CPU", cpu)):
            rows = {_row(kind, size): tally.rows[_row(kind, size)] for size in sizes}
            figures.append(Figure(f"{name} of a step by what is stored, {kind}", "ms", rows, ends, aim))
    return figures


def stored_id(number: int) -> str:
    return f"stored-{number}"


def _row(kind: str, size: int) -> str:
    return f"{kind}, {size:,}"


async def _preload(contender: Contender, size: int) -> None:
    """Insert documents in the state that one order each would give them."""
    pattern = await _of_core() if contender.kind == "core" else _of_floor()
    async with AsyncMongoClient[dict[str, Any]](contender.stage.servers.mongo) as client:
        counters = client[contender.stage.name]["counters"]
        for first in range(0, size, CHUNK):
            ids = [stored_id(number) for number in range(first, min(first + CHUNK, size))]
            await counters.insert_many([_named(pattern, id_) for id_ in ids], ordered=False)


async def _of_core() -> Document:
    """The document of a counter after one order, with all events sent."""
    documents = MemoryDocuments()
    counters, _ = in_memory(counter_type(Rules()), topic=events_topic("bench"), documents=documents)
    order = Count("stored", "1", 1, "Kstored")
    await counters.apply_one(Input("stored", "order-stored/0.1", order, actor="service:bench", hash="0123456789abcdef"))
    return {**documents.stored["stored"], "outbox": []}


def _of_floor() -> Document:
    fields = {"key": "Kstored", "version": 1, "total": 1, "seq": 1}
    return {"_id": "stored", **fields, "applied": ["order-stored/0.1"], "outbox": [], "at": datetime.now(UTC)}


def _named(pattern: Document, id_: str) -> Document:
    named = {**pattern, "_id": id_, "key": f"K{id_}"}
    if "state" in pattern:
        named["state"] = {**pattern["state"], "id": id_, "key": f"K{id_}"}
    return named
