"""Numbers stay unique while commands race and processes are killed; an interrupted command blocks nothing."""

import asyncio
import random

import pytest
from services.registry.tests.registry_builders import (
    ALTYN,
    LEI,
    QINGDAO,
    TAUGE,
    Interrupted,
    World,
    a_description,
    an_order,
    country_of,
    dawdling,
    killed_after,
)

from chassis.aggregates import Input
from chassis.aggregates.document import OutboxEntry
from chassis.delivery.records import RawRecord
from chassis.recovery.rebuild import Rebuild
from contracts.envelope import Envelope
from contracts.topics import REGISTRY
from registry.claims import ABANDONED, NumberTaken
from registry.contacts import draft_contact
from registry.domain.enterprise import Abandon, AlreadyRegistered, Refused
from registry.domain.identifiers import Number
from registry.handlers import CommandConflict, change, register, suspend
from registry.queries import find_contacts, get_enterprise

DESCRIPTION = a_description(ALTYN, LEI, email="a@b.kz")
REFUSALS = (NumberTaken, CommandConflict, Refused)


async def _steps_of_a_registration() -> int:
    """Number of port steps in an uninterrupted registration."""
    steps = 0

    async def count() -> None:
        nonlocal steps
        steps += 1

    await register(World().ports(count), an_order(), "KZ", DESCRIPTION)
    return steps


async def test_a_registration_killed_anywhere_is_completed_by_repeating_it():
    for killed_at in range(await _steps_of_a_registration()):
        world = World()
        with pytest.raises(Interrupted):
            await register(world.ports(killed_after(killed_at)), an_order(), "KZ", DESCRIPTION)
        done = await register(world.ports(), an_order(), "KZ", DESCRIPTION)
        assert done.contact.value("email") == "a@b.kz", f"killed at step {killed_at}"
        assert len(world.documents.stored[ALTYN]["history"]) == 1
        assert world.holders(LEI) == [ALTYN]
        assert world.claims.stored[LEI].commands == ()


async def test_a_registration_killed_anywhere_has_its_contact_as_soon_as_it_is_applied():
    outcomes = set()
    for killed_at in range(await _steps_of_a_registration()):
        world = World()
        with pytest.raises(Interrupted):
            await register(world.ports(killed_after(killed_at)), an_order(), "KZ", DESCRIPTION)
        (found,) = await find_contacts(world.ports(), [Number("KZ-BIN", "190540000014")])
        outcomes.add(found is not None)
        assert found is None or found.contact.value("email") == "a@b.kz", f"killed at step {killed_at}"
    assert outcomes == {True, False}


async def test_the_contact_draft_of_a_refused_or_abandoned_command_is_deleted():
    world = World()
    await register(world.ports(), an_order("c-1"), "KZ", a_description(ALTYN, name="Алтын"))
    with pytest.raises(AlreadyRegistered):
        await register(world.ports(), an_order("c-2"), "KZ", a_description(ALTYN, email="other@b.kz"))
    assert "other@b.kz" not in str(world.contacts.stored)
    await draft_contact(world.ports(), ALTYN, {"email": "late@b.kz"}, "c-3")
    assert (await get_enterprise(world.ports(), Number("KZ-BIN", "190540000014"))).contact.value("email") == ""
    await world.ports().enterprises.apply_one(Input(ALTYN, "c-3", Abandon(), "staff:li", ABANDONED))
    known = await get_enterprise(world.ports(), Number("KZ-BIN", "190540000014"))
    assert [known.contact.value(name) for name in ("name", "email")] == ["Алтын", ""]
    assert "late@b.kz" not in str(world.contacts.stored)


async def test_a_registration_killed_anywhere_blocks_no_number():
    outcomes = set()
    for killed_at in range(await _steps_of_a_registration()):
        world = World()
        with pytest.raises(Interrupted):
            await register(world.ports(killed_after(killed_at)), an_order(), "KZ", DESCRIPTION)
        saved = world.holders(LEI) == [ALTYN]
        try:
            await register(world.ports(), an_order("c-2"), "CN", a_description(QINGDAO, LEI))
            assert not saved
            assert world.holders(LEI) == [QINGDAO]
        except NumberTaken:
            assert saved, f"stranded by a kill at step {killed_at}"
        outcomes.add(saved)
    assert outcomes == {True, False}


async def test_a_registration_that_lost_a_number_is_refused_and_succeeds_without_it():
    world = World()
    with pytest.raises(Interrupted):
        await register(world.ports(killed_after(8)), an_order(), "KZ", DESCRIPTION)
    assert world.claims.stored[LEI].enterprise_id == ALTYN
    assert world.holders(LEI) == []
    await register(world.ports(), an_order("c-2"), "CN", a_description(QINGDAO, LEI))
    with pytest.raises(NumberTaken, match=QINGDAO):
        await register(world.ports(), an_order(), "KZ", DESCRIPTION)
    with pytest.raises(CommandConflict):
        await register(world.ports(), an_order(), "KZ", a_description(ALTYN))
    registered = await register(world.ports(), an_order("c-3"), "KZ", a_description(ALTYN))
    assert registered.enterprise.numbers == (ALTYN,)


@pytest.mark.parametrize("seed", range(150))
async def test_no_number_is_ever_held_twice_under_races_and_kills(seed):
    chance = random.Random(seed)
    world = World()
    shared = [LEI, "GB-EORI:GB1", "GB-EORI:GB2"]

    async def one(index: int) -> None:
        ports = world.ports(dawdling(chance, deadly=0.01))
        own = (ALTYN, TAUGE, QINGDAO)[index % 3]
        numbers = [own, *chance.sample([*shared, ALTYN, TAUGE], k=chance.randrange(3))]
        for attempt in range(3):
            try:
                description = a_description(*numbers)
                await register(ports, an_order(f"r-{index}"), country_of(description), description)
            except (*REFUSALS, Interrupted):
                pass
            try:
                await change(
                    ports, an_order(f"c-{index}-{attempt}"), own, a_description(own, *chance.sample(shared, 1))
                )
            except (*REFUSALS, Interrupted):
                pass

    await asyncio.gather(*(one(index) for index in range(6)))
    for number in {*shared, ALTYN, TAUGE, QINGDAO}:
        assert len(world.holders(number)) <= 1, f"{number} is held by {world.holders(number)}"


@pytest.mark.parametrize("numbers", [(ALTYN,), (ALTYN, LEI)])
async def test_one_of_twenty_registrations_in_twenty_processes_is_applied_and_the_others_already_exist(
    numbers,
):
    world = World()
    results = await asyncio.gather(
        *(
            register(world.ports(dawdling(random.Random(index))), an_order(f"c-{index}"), "KZ", a_description(*numbers))
            for index in range(20)
        ),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [AlreadyRegistered] * 19
    assert world.outbox.types() == ["trade.registry.enterprise.registered.v1"]


async def test_only_one_of_many_racing_registrations_of_an_enterprise_is_applied():
    world = World()
    chance = random.Random(1)
    results = await asyncio.gather(
        *(register(world.ports(dawdling(chance)), an_order(f"c-{index}"), "KZ", DESCRIPTION) for index in range(8)),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, Exception)]
    assert len(refused) == 7
    assert all(isinstance(each, AlreadyRegistered) for each in refused)
    assert world.outbox.types() == ["trade.registry.enterprise.registered.v1"]


async def test_a_registry_rebuilt_from_its_topic_equals_the_lost_one_and_keeps_numbers_unique():
    lost = World()
    await register(lost.ports(), an_order("c-1"), "KZ", DESCRIPTION)
    await suspend(lost.ports(), an_order("c-2"), ALTYN, "sanctions")
    rebuilt = World()
    await Rebuild([rebuilt.ports().enterprises]).fold([_record(entry) for entry in lost.outbox.published])
    for world in (lost, rebuilt):
        assert await world.ports().enterprises.get(ALTYN) is not None
    before, after = lost.documents.stored[ALTYN], rebuilt.documents.stored[ALTYN]
    assert (after["state"], after["seq"]) == (before["state"], before["seq"])
    assert [line["cause"] for line in after["history"]] == ["c-1", "c-2"]
    with pytest.raises(NumberTaken):
        await register(rebuilt.ports(), an_order("c-3"), "CN", a_description(QINGDAO, LEI))


def _record(entry: OutboxEntry) -> RawRecord:
    """The topic's record of a published outbox entry."""
    id_ = entry["id"].rpartition("/")[0]
    envelope = Envelope(
        id=entry["id"],
        source="/trade/registry",
        type=entry["type"],
        time=entry["time"],
        subject=id_,
        sequence=entry["seq"],
        partitionkey=id_,
        causationid=entry["cause"],
        actor=entry["by"],
    )
    headers = tuple(envelope.headers())
    return RawRecord(REGISTRY.name, 0, entry["seq"], id_.encode(), headers, entry["data"].encode(), 0)
