"""Staff see a real parked target, and the metrics of a real process follow it, up and down."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from chaos.toy.load import load_on
from chaos.toy.oracle import Oracle
from chaos.toy.stage import Replica, Servers, Stage, on_stage
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from launcher.infrastructure import Infrastructure


async def shown(replica: Replica, name: str) -> float:
    """What a scrape of the process shows."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{replica.admin}/metrics")).text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


async def until_shown(replica: Replica, name: str, least: float, most: float) -> None:
    async def is_shown() -> bool:
        assert least <= await shown(replica, name) <= most
        return True

    await eventually(is_shown, within_seconds=60, every_seconds=0.5)


class Staff:
    """`trade parked`, on one replica of a stage."""

    def __init__(self, stage: Stage, replica: Replica) -> None:
        self._file = stage.folder / "platform.json"
        platform = {
            "name": "test", "kafka": stage.servers.kafka, "mongo_url": stage.servers.mongo, "database": "none",
            "keys_dir": str(stage.keys), "gateway_url": "http://127.0.0.1:1", "tracking_url": "http://127.0.0.1:1",
            "services": {stage.name: {"pid": 1, "grpc": replica.address}},
        }  # fmt: skip
        self._file.write_text(json.dumps(platform))

    async def trade(self, *arguments: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "trade_cli.main", "parked", *arguments, "--json",
            env={**os.environ, "TRADE_PLATFORM": str(self._file), "TRADE_STAFF": "lin"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        assert output, errors.decode()
        return json.loads(output)


async def test_a_parked_target_is_explained_discarded_redriven_and_counted(
    infrastructure: Infrastructure, tmp_path: Path
) -> None:
    servers, oracle = Servers(infrastructure.bootstrap_servers, infrastructure.mongo_url), Oracle()
    async with on_stage(servers, tmp_path, "operators") as stage, load_on(stage, oracle, 1) as load:
        replica = stage.replica()
        await replica.start()
        target: dict[str, Any] = {"counters": ("c1",), "key": "K1"}
        refused = load.order(**{**target, "amount": -5})
        await load.place([load.order(**target), refused, load.order(**target), load.order(**target)])
        await until_shown(replica, "trade_parked_deliveries", 3, 3)
        assert await shown(replica, "trade_parked_targets") == 1

        staff = Staff(stage, replica)
        (row,) = await staff.trade("list", "--by", "target")
        (plan,) = await staff.trade("explain", row["target"])
        assert (plan["waiting"], plan["first"]["event_id"], plan["first"]["reason"]) == (3, refused.id, "refused")
        assert "domain.py" in plan["first"]["stack_line"]
        assert [step["expected"] for step in plan["steps"]] == ["same_build", "follows", "follows"]

        (again,) = await staff.trade("redrive", row["target"], "--reason", "try")
        assert (again["remaining"], again["failed"]["event_id"]) == (3, refused.id)
        given_up = await staff.trade("discard", again["failed"]["id"], "--reason", "wrong sign")
        assert given_up["remaining"] == 2
        (done,) = await staff.trade("redrive", row["target"], "--reason", "the rest")
        assert (done["applied"], done["remaining"]) == (2, 0)
        await until_shown(replica, "trade_parked_deliveries", 0, 0)
        audit = await staff.trade("audit")
        assert [(line["action"], line["by"], line["why"]) for line in reversed(audit)] == [
            ("redriven", "staff:lin", "try"),
            ("discarded", "staff:lin", "wrong sign"),
            ("redriven", "staff:lin", "the rest"),
            ("redriven", "staff:lin", "the rest"),
        ]
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.mongo)
        try:
            counter = await client[stage.name]["counters"].find_one({"_id": row["target"]})
        finally:
            await client.close()
        assert counter is not None
        lines = [line for line in counter["history"] if "given_up" in line]
        assert [(line["cause"], line["by"], line["given_up"]) for line in lines] == [
            (refused.id, "staff:lin", "wrong sign")
        ]


async def test_a_process_that_cannot_resolve_shows_its_lag_in_seconds(
    infrastructure: Infrastructure, tmp_path: Path
) -> None:
    servers, oracle = Servers(infrastructure.bootstrap_servers, infrastructure.mongo_url), Oracle()
    async with on_stage(servers, tmp_path, "lagging") as stage, load_on(stage, oracle, 1) as load:
        replica = stage.replica()
        await replica.start()
        await load.place([load.order() for _ in range(3)])
        await until_shown(replica, "trade_consumer_lag_seconds", 0, 0)
        assert await shown(replica, "trade_consumer_partitions") > 0
        orders = [load.order() for _ in range(3)]
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.mongo)
        try:
            # As if too much had been parked: nothing is consumed until staff close the breaker.
            locks = client[stage.name]["locks"]
            opened = {"version": 1, "reason": "schema", "opened_at": datetime.now(UTC)}
            await locks.update_one({"_id": "~breaker"}, {"$set": opened}, upsert=True)

            async def rests() -> bool:
                # A process believes its last look at the locks for half a second: what comes then is consumed.
                await load.place([load.order()])
                return await shown(replica, "trade_consumer_rests") == 1

            await eventually(rests, within_seconds=30)
            await load.place(orders)
            await until_shown(replica, "trade_consumer_lag_seconds", 3, 600)
            assert await shown(replica, "trade_consumer_lag_records") >= 1
            await until_shown(replica, "trade_breaker_open", 1, 1)
            await until_shown(replica, "trade_consumer_rests", 1, 1)
            await Staff(stage, replica).trade("redrive", "~breaker", "--reason", "go on")
        finally:
            await client.close()
        for name in ("consumer_lag_seconds", "consumer_lag_records", "consumer_rests", "breaker_open"):
            await until_shown(replica, f"trade_{name}", 0, 0)
