"""The toy on real parts, nobody harming it: the measure of what is expected of it when somebody does."""

from pathlib import Path

from chaos.toy.load import Sink, load_on
from chaos.toy.oracle import Oracle, Way
from chaos.toy.stage import Servers, on_stage
from pymongo import AsyncMongoClient

from chassis.testing import eventually
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
        expected: dict[str, int] = {}
        for order in oracle.orders.values():
            for counter in order.reached:
                expected[counter] = expected.get(counter, 0) + order.amount
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo)

        async def come_about() -> bool:
            found = {each["_id"]: each["state"] async for each in client[stage.name]["counters"].find()}
            assert {id_: state["total"] for id_, state in found.items()} == expected  # type: ignore[index]
            assert not any(state["questions"] for state in found.values())  # type: ignore[index]
            statuses = [bill["status"] for state in found.values() for bill in state["bills"].values()]  # type: ignore[index]
            assert sorted(statuses) == ["overdue", "paid"]
            sent = {id_ for id_, _ in oracle.letters}
            assert sent == {letter for order in oracle.orders.values() for letter in order.letters}
            return True

        await eventually(come_about, within_seconds=30, every_seconds=0.3)
        await client.close()
