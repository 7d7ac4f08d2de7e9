"""The toy on real servers without faults: the reference for its behaviour under faults."""

from pathlib import Path

from chaos.toy.load import Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.settling import settled
from chaos.toy.stage import Servers, on_stage
from pymongo import AsyncMongoClient

from launcher.infrastructure import Infrastructure


async def test_everything_that_is_ordered_comes_about(infrastructure: Infrastructure, tmp_path: Path) -> None:
    oracle = Oracle()
    servers = Servers(infrastructure.bootstrap_servers, infrastructure.mongo_url)
    async with Sink(oracle) as sink, on_stage(servers, tmp_path, "whole") as stage, load_on(stage, oracle, 1) as load:
        stage.sink = sink.address
        replica = stage.replica()
        await replica.start()
        await load.place(load.mixed(21))
        billed, unpaid = load.order(pay_within=3.0), load.order(pay_within=0.5)
        await load.place([billed, unpaid])
        await load.pay(billed)
        await load.knock([load.order(Way.DOOR, counters=("door",)) for _ in range(5)], replica.address)
        verdicts = await settled(stage, oracle)
        assert all(each.looked_at for each in verdicts)
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo)
        try:
            found = [each["state"] async for each in client[stage.name]["counters"].find()]
        finally:
            await client.close()
        bills = {number: bill["status"] for state in found for number, bill in state["bills"].items()}  # type: ignore[index]
        assert bills == {billed.number: "paid", unpaid.number: "overdue"}
        assert sorted(id_ for id_, _ in oracle.letters) == sorted(
            letter for order in oracle.orders.values() for letter in order.letters
        )
