"""A database is lost in the middle of work, or restored from an older copy; a topic has lost its tail."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.breaking import at_rest, closed, traffic_on
from chaos.harness.copies import copy_database, drop_database, lose_tail, put_back, read_raw
from chaos.harness.shipment import on_platform
from chaos.harness.traffic import Traffic
from chaos.judging.platform import judged, kept
from chaos.judging.world import remembered
from chaos.toy.everything import tell_everything
from chaos.toy.load import Load, Sink, load_on
from chaos.toy.oracle import Oracle
from chaos.toy.settling import all_read, settled
from chaos.toy.staff import clear
from chaos.toy.stage import Replica, Stage, on_stage
from pymongo import AsyncMongoClient

from chassis.delivery.records import RawRecord
from chassis.testing import eventually
from contracts.envelope import Envelope, parse

SHIPMENTS = 8
WITHIN_SECONDS = 180.0
PERSONAL = {"texts"}
"""On no topic, so restored from a separate backup: without it an unsent mail is given up."""
DOES_NOT_FIT = 4
"""Exit status of a service whose database does not match its settings or its topic."""


async def lost_in_the_middle_of_work(ground: Ground) -> Sequence[Verdict]:
    """The toy's database is lost while deliveries are parked, look-ups pending, bills open and letters being sent."""
    return await _restored(ground, older=False)


async def older_copy_in_the_middle_of_work(ground: Ground) -> Sequence[Verdict]:
    """The same, and a copy from the middle of the work is restored."""
    return await _restored(ground, older=True)


async def _restored(ground: Ground, *, older: bool) -> Sequence[Verdict]:
    oracle, mongo = Oracle(), ground.servers.mongo
    on_it = on_stage(ground.servers, ground.folder, ground.name)
    async with Sink(oracle) as sink, on_it as stage, load_on(stage, oracle, ground.seed) as load:
        stage.sink = sink.address
        nobody_answers = {"PEERS": json.dumps({stage.name: "127.0.0.1:9"})}
        replica = stage.replica(settings=nobody_answers)
        await replica.start()
        await load.place(load.mixed(14))
        copy = await copy_database(mongo, stage.name)
        await tell_everything(load, replica.address)
        await load.place([load.order(pay_within=600.0) for _ in range(3)])
        await eventually(lambda: _in_the_middle(stage, oracle), within_seconds=60, every_seconds=0.2)
        before = await read_raw(ground.servers.kafka, stage.events.name)
        await load.place(load.mixed(21))
        await replica.child.kill()
        _forget_unclaimed(oracle, await read_raw(ground.servers.kafka, stage.events.name))
        await (put_back(mongo, stage.name, copy) if older else drop_database(mongo, stage.name))
        assert (await stage.rebuild())[0] == 0
        return await _goes_on(stage, load, before)


async def _in_the_middle(stage: Stage, oracle: Oracle) -> bool:
    """Whether there is some of every kind of work, and every order from the door is published.

    Raises:
        AssertionError: not yet; says what is missing.
    """
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stage.servers.mongo)
    async with client:
        database = client[stage.name]
        assert await database["parked"].count_documents({}), "nothing is parked"
        assert await database["counters"].count_documents({"try_after": {"$exists": True}}), "no question pends"
        assert await database["counters"].count_documents({"due_at": {"$exists": True}}), "no bill is open"
        assert oracle.letters, "no letter is out"
        doors = {"_id": {"$gte": "d", "$lt": "e"}}
        assert await database["counters"].count_documents(doors) >= 6, "the door has taken nothing"
        assert not await database["counters"].count_documents({**doors, "outbox.0": {"$exists": True}}), "unsent"
    return True


async def _goes_on(stage: Stage, load: Load, before: Sequence[RawRecord], epoch: int = 0) -> Sequence[Verdict]:
    """Start on the rebuilt database, add some more work, and judge the end."""
    replica = stage.replica(settings={"EPOCH": str(epoch)})
    await replica.start()
    await load.place(load.mixed(7))
    await eventually(lambda: all_read(stage), within_seconds=60, every_seconds=0.2)
    assert await _parked(stage, "c9") >= 4, "what was refused is not parked as before"
    stage.mended.touch()
    await clear(stage, replica)
    verdicts = await settled(stage, load.oracle)
    after = await read_raw(stage.servers.kafka, stage.events.name)
    letters = {id_ for order in load.oracle.orders.values() for id_ in order.letters}
    strange = [f"6: {id_} went out, nobody ordered it" for id_, _ in load.oracle.letters if id_ not in letters]
    # Events lost from a topic are decided again, under ids of the raised epoch.
    once = _used_once([*before, *after], decided=after if epoch else [*before, *after])
    return kept([*verdicts, once, Verdict(6, len(load.oracle.letters), strange)])


def _forget_unclaimed(oracle: Oracle, published: Sequence[RawRecord]) -> None:
    """Remove the attempts whose claims are lost, as no topic has them: they are repeated under the same id."""
    envelopes = {envelope.id: envelope for envelope in map(_envelope, published)}.values()
    claims = Counter(each.subject for each in envelopes if each.type.endswith(".letter.claimed.v1"))
    known = []
    for letter in oracle.letters:
        if claims[letter[0]]:
            claims[letter[0]] -= 1
            known.append(letter)
    oracle.letters[:] = known


async def _parked(stage: Stage, target: str) -> int:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stage.servers.mongo)
    async with client:
        return await client[stage.name]["parked"].count_documents({"target": target})


def _used_once(records: Sequence[RawRecord], decided: Sequence[RawRecord]) -> Verdict:
    """No event id has two contents, and no decided order was counted twice."""
    contents: dict[str, bytes | None] = {}
    faults = []
    for record in records:
        id_ = _envelope(record).id
        if contents.setdefault(id_, record.value) != record.value:
            faults.append(f"2: {id_} stands for two contents")
    counted = Counter(
        (each.subject, each.causationid)
        for each in {envelope.id: envelope for envelope in map(_envelope, decided)}.values()
        if each.type.endswith(".counter.counted.v1")
    )
    faults += [
        f"3: {subject} counted {cause} {times} times" for (subject, cause), times in counted.items() if times > 1
    ]
    return Verdict(2, len(contents), faults)


def _envelope(record: RawRecord) -> Envelope:
    envelope = parse(record.headers)
    assert isinstance(envelope, Envelope)
    return envelope


async def lost_tail(ground: Ground) -> Sequence[Verdict]:
    """A topic has lost its tail: the kept database is refused; a new one under a raised epoch works."""
    oracle, servers = Oracle(), ground.servers
    on_it = on_stage(servers, ground.folder, ground.name)
    async with Sink(oracle) as sink, on_it as stage, load_on(stage, oracle, ground.seed) as load:
        stage.sink = sink.address
        replica = stage.replica()
        await replica.start()
        refused = load.order(counters=("c9",), amount=-5, key="Kc9")
        behind = [load.order(counters=("c9",), key="Kc9") for _ in range(3)]
        # One key per counter: with cause and effect in two partitions, a reader would keep the effect of a lost cause.
        await load.place([*(each for each in load.mixed(42) if each.key != "Kmany"), refused, *behind])
        await settled(stage, oracle, parked=True)
        await replica.child.stop()
        lost = await lose_tail(servers.kafka, stage.events, keep=0.6)
        assert lost, "nothing was lost"
        _forget_unclaimed(oracle, await read_raw(servers.kafka, stage.events.name))

        status, said = await stage.rebuild()
        assert status == DOES_NOT_FIT and "has lost its tail" in said, (status, said)
        await _is_refused(stage.replica(settings={"EPOCH": "1"}), "an epoch is raised by `rebuild`")
        await drop_database(servers.mongo, stage.name)
        assert (await stage.rebuild(settings={"EPOCH": "1"}))[0] == 0
        verdicts = await _goes_on(stage, load, lost, epoch=1)
        last = stage.replicas[-1]
        await last.child.stop()
        await _is_refused(stage.replica(), "event ids would be used again")
        return verdicts


async def _is_refused(replica: Replica, why: str) -> None:
    """It exits by itself and logs why."""
    replica.child.start()
    assert await replica.child.finished() == DOES_NOT_FIT, replica.child.last_words()
    assert why in replica.child.last_words()


# On the real services.


async def older_copies_of_real_services(ground: Ground) -> Sequence[Verdict]:
    """Declarations and notifications are restored older, each in the middle of work; gateway and registry are empty.

    Data that is on no topic (keys, names, originals) is restored from a backup.
    """
    async with on_platform(ground) as (platform, _), traffic_on(platform, shipments=SHIPMENTS, seed=1) as first:
        url = platform.describe()["mongo_url"]
        waves = [first.another(number) for number in (2, 3, 4)]
        for service, wave in zip(("declarations", "notifications"), waves, strict=False):
            copy = await copy_database(url, service)
            async with asyncio.TaskGroup() as group:
                group.create_task(wave.run(WITHIN_SECONDS))
                await eventually(partial(_some_closed, url, wave), within_seconds=90, every_seconds=0.2)
                await platform.kill(service)
                latest = await copy_database(url, service)
                await put_back(url, service, {**copy, **{name: latest[name] for name in PERSONAL & latest.keys()}})
                await platform.rebuild(service)
        before = await at_rest(platform)
        for service in ("gateway", "registry"):
            copy = await copy_database(url, service)
            await platform.kill(service)
            await put_back(url, service, {name: each for name, each in copy.items() if not _holds_aggregates(each)})
            await platform.rebuild(service)
        after = await at_rest(platform)
        for service in ("gateway", "registry"):
            assert remembered(after, service) == remembered(before, service), f"{service} did not come back equal"
        await waves[-1].run(WITHIN_SECONDS)
        world = await at_rest(platform)
        assert closed(world) == SHIPMENTS * len(waves)
        sent = [each for wave in waves for each in wave.sent]
        return kept(judged(world, sent, claims_lost=True))


def _holds_aggregates(documents: Sequence[Mapping[str, Any]]) -> bool:
    return any("outbox" in each for each in documents)


async def _some_closed(url: str, wave: Traffic) -> bool:
    """Whether a wave is in the middle of its work: some shipments are done, some are not."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    async with client:
        ucrs = {"state.declaration.ucr": {"$in": wave.ucrs}, "state.status": "closed"}
        return await client["declarations"]["declarations"].count_documents(ucrs) >= 2


CELLS = [
    Cell("restore", "a database lost in the middle of work", lost_in_the_middle_of_work),
    Cell("restore", "an older copy in the middle of work", older_copy_in_the_middle_of_work, in_tests=True),
    Cell("restore", "a topic that has lost its tail", lost_tail),
    Cell(
        "restore",
        "older copies of real services",
        older_copies_of_real_services,
        own_servers=True,
        limit_seconds=600,
        in_samples=False,
    ),
]
