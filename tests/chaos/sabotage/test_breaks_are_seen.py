"""The checker sees each of the classic breaks of the core and of sending mail, and nothing where they are whole."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chaos.judging.handmade import RELEASED
from chaos.judging.invariants.deliveries import deliveries
from chaos.judging.invariants.notices import notices, under_way
from chaos.judging.invariants.offsets import offsets
from chaos.judging.invariants.published import published
from chaos.judging.reading import read_world
from chaos.judging.verdicts import faults_of
from chaos.judging.world import SERVICES, World
from chaos.sabotage.broken_service import Sabotaged
from chaos.sabotage.forged import lodge, publish, seek_capital
from pymongo import AsyncMongoClient

from chassis.testing import eventually
from contracts.topics import DECLARATIONS, EVENT_TOPICS, GATEWAY
from launcher.infrastructure import Infrastructure
from launcher.topics import make_topics_anew

TOPICS = [topic.name for topic in EVENT_TOPICS]
NOTICES = 6
"""Three firms are told of a release, over two channels each."""


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Infrastructure]:
    """A broker and a database of this module alone: what the checker reads must be what was put there."""
    async with Infrastructure(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
async def empty(servers: Infrastructure) -> Infrastructure:
    await make_topics_anew(servers.bootstrap_servers, EVENT_TOPICS)
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo_url)
    for service in SERVICES:
        await client.drop_database(service)
    await client.close()
    return servers


async def world_of(servers: Infrastructure, group: str = "declarations") -> World:
    return await read_world(servers.bootstrap_servers, servers.mongo_url, TOPICS, groups=[group])


async def until_settled(servers: Infrastructure) -> World:
    """The world once declarations has read everything and has nothing to publish."""
    seen: list[World] = []

    async def settled() -> bool:
        world = await world_of(servers)
        seen.append(world)
        committed = world.committed["declarations"]
        behind = [at for at, end in world.ends.items() if at.topic == GATEWAY.name and committed.get(at, 0) < end]
        return not behind and not any(each.outbox for each in world.stored)

    await eventually(settled, within_seconds=40, every_seconds=0.3)
    return seen[-1]


def faults(world: World) -> list[str]:
    """What the checks say of declarations alone; the gateway and tracking do not run here."""
    own = faults_of([published(world), deliveries(world), offsets(world, ["declarations"])])
    return [each for each in own if "R-1/0.1 is on" not in each and "is in no timeline" not in each]


async def after_kill_and_restart(servers: Infrastructure, folder: Path, name: str) -> tuple[World, World]:
    """The world right after the kill, and the one after the service has come back and settled."""
    sabotaged = Sabotaged(servers, folder, name)
    await lodge(servers)
    try:
        await sabotaged.run_until_killed()
        killed = await world_of(servers)
        sabotaged.start()
        return killed, await until_settled(servers)
    finally:
        await sabotaged.stop()


async def test_a_whole_core_passes_though_killed_before_its_commit(empty: Infrastructure, tmp_path: Path) -> None:
    killed, settled = await after_kill_and_restart(empty, tmp_path, "none")
    looked = offsets(killed, ["declarations"])
    assert looked.faults == []
    assert faults(settled) == []
    assert [each.envelope.type for each in settled.on("declarations.events.v1")][:1] == [
        "trade.declarations.declaration.submitted.v1"
    ]


async def test_a_commit_before_the_save_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    killed, settled = await after_kill_and_restart(empty, tmp_path, "offset-before-save")
    assert any(each.startswith("7:") for each in faults(killed))
    assert any(each.startswith("3:") for each in faults(settled))


@pytest.mark.parametrize("service", ["notifications", "gateway", "matching"])
async def test_a_commit_before_the_save_is_seen_in_every_group(
    empty: Infrastructure, tmp_path: Path, service: str
) -> None:
    if service == "matching":
        await seek_capital(empty)
    else:
        await publish(empty, DECLARATIONS.name, RELEASED.envelope, RELEASED.raw)
    sabotaged = Sabotaged(empty, tmp_path, "offset-before-save", service)
    try:
        await sabotaged.run_until_killed()
        seen = offsets(await world_of(empty, service), [service])
    finally:
        await sabotaged.stop()
    assert seen.looked_at == 1
    assert seen.faults, "nothing was seen"


async def test_publishing_without_an_outbox_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "no-outbox")
    assert any(each.startswith("2:") for each in faults(settled))


async def test_trimming_before_the_acknowledgement_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "trim-before-ack")
    assert any(each.startswith("2:") for each in faults(settled))


async def test_a_core_that_forgets_what_it_applied_is_seen(empty: Infrastructure, tmp_path: Path) -> None:
    _, settled = await after_kill_and_restart(empty, tmp_path, "no-deduplication")
    assert any(each.startswith("3:") for each in faults(settled))


# Mail.


async def all_sent(servers: Infrastructure, mails: Path) -> World:
    """The world once notifications takes everything for sent that it was to tell."""
    seen: list[World] = []

    async def sent() -> bool:
        seen.append(
            await read_world(
                servers.bootstrap_servers, servers.mongo_url, TOPICS, groups=["notifications"], mails=mails
            )
        )
        return len(seen[-1].of("notifications", "notices")) == NOTICES and not under_way(seen[-1])

    await eventually(sent, within_seconds=40, every_seconds=0.3)
    return seen[-1]


async def after_a_mail_and_a_kill(servers: Infrastructure, folder: Path, name: str) -> World:
    """The world after a release whose telling was interrupted: notifications died with a mail on its way."""
    sabotaged = Sabotaged(servers, folder, name, "notifications")
    await publish(servers, DECLARATIONS.name, RELEASED.envelope, RELEASED.raw)
    try:
        await sabotaged.run_until_killed()
        sabotaged.start()
        return await all_sent(servers, sabotaged.layout.mail)
    finally:
        await sabotaged.stop()


async def test_a_mail_that_is_repeated_after_a_kill_passes(empty: Infrastructure, tmp_path: Path) -> None:
    world = await after_a_mail_and_a_kill(empty, tmp_path, "mail-whole")
    assert max(Counter(each.message_id for each in world.mails).values()) == 2, "nothing was repeated"
    verdict = notices(world)
    assert (verdict.looked_at, verdict.faults) == (NOTICES // 2 + len(world.mails), [])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mail-unclaimed", "times on 0 claims"),
        ("mail-renamed", "and no notice has it"),
        ("mail-kept-back", "never went out"),
    ],
)
async def test_a_broken_sender_of_mail_is_seen(empty: Infrastructure, tmp_path: Path, name: str, words: str) -> None:
    faults = notices(await after_a_mail_and_a_kill(empty, tmp_path, name)).faults
    assert any(words in each for each in faults), faults
