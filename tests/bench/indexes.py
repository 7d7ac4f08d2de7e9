"""The cost of an index for the embedded server, without the platform: `python -m bench.indexes`.

Started as packaged, the server reads the list of indexes from its tables several times for each written document.
Started by the launcher, it reads the list once per write (docs/decisions/0041).
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, IndexModel, UpdateOne

from bench.ground import cpu_seconds
from bench.lone_server import lone_server
from launcher.database import ProcessDatabase

DOCUMENTS, AT_ONCE, ROUNDS = 1_000, 25, 3
SERVERS = {
    "as packaged": [str(Path(sys.executable).with_name("secantusd-py"))],
    "as launched": [sys.executable, "-m", "launcher.secantus"],
}
INDEXES = ("due_at", "try_after", "outbox.time", "key")


async def costs(program: Sequence[str], indexes: Sequence[str]) -> tuple[float, float]:
    """Milliseconds of the server's CPU per document, in an insert and in a bulk of single updates."""
    async with (
        lone_server(program, "--sync-on-commit", "--standalone") as server,
        AsyncMongoClient[dict[str, Any]](server.address, retryWrites=False) as client,
    ):
        return await _measured(client, server, indexes)


async def _measured(
    client: AsyncMongoClient[dict[str, Any]], server: ProcessDatabase, indexes: Sequence[str]
) -> tuple[float, float]:
    collection = client["bench"]["indexes"]
    if indexes:
        await collection.create_indexes([IndexModel(name, sparse=True) for name in indexes])
    ids = range(DOCUMENTS * ROUNDS)
    parts = [ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)]
    begun = cpu_seconds(server.pid)
    for part in parts:
        await collection.insert_many([_document(number) for number in part], ordered=False)
    inserted = cpu_seconds(server.pid)
    for part in parts:
        await collection.bulk_write([UpdateOne({"_id": number}, {"$inc": {"version": 1}}) for number in part])
    updated = cpu_seconds(server.pid)
    return (inserted - begun) * 1000 / len(ids), (updated - inserted) * 1000 / len(ids)


def _document(number: int) -> dict[str, Any]:
    state = {"name": f"name {number}", "lines": [{"line": line, "text": "x" * 40} for line in range(20)]}
    return {"_id": number, "key": f"key {number}", "version": 1, "outbox": [{"time": number}], "state": state}


async def main() -> None:
    print(f"{'CPU of one document':>24}  {'insert':>8}  {'update':>8}")
    for name, program in SERVERS.items():
        for count in range(len(INDEXES) + 1):
            inserted, updated = await costs(program, INDEXES[:count])
            print(f"{f'{name}, {count} indexes':>24}  {inserted:5.2f} ms  {updated:5.2f} ms", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
