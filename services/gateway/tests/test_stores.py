"""Contract suite of the gateway's stores, in memory and in MongoDB: repeats are harmless, nothing is lost."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis import mongo
from chassis.settings import MongoSettings
from gateway.domain.access import FIRM_SCOPES, Owner, OwnerKind
from gateway.domain.event_outcome import Note, Share
from gateway.domain.keys import Key
from gateway.domain.outcome import Step
from gateway.keys.store import MongoKeys
from gateway.outcomes.store import MongoEventOutcomes, MongoOutcomes
from gateway.partners.quarantine import Quarantined
from gateway.partners.store import MongoQuarantine
from gateway.receipts.keeping import Original
from gateway.receipts.store import MongoOriginals
from launcher.infrastructure import Infrastructure

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stores:
    originals: Any
    quarantine: Any
    keys: Any
    outcomes: Any
    event_outcomes: Any


@pytest.fixture
async def real(infrastructure: Infrastructure) -> AsyncIterator[Stores]:
    client = mongo.connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    database = mongo.open_database(client, f"gateway-{uuid4().hex[:8]}")
    stores = Stores(
        MongoOriginals(database),
        MongoQuarantine(database),
        MongoKeys(database),
        MongoOutcomes(database),
        MongoEventOutcomes(database),
    )
    await stores.quarantine.create_indexes()
    await stores.keys.create_indexes()
    await stores.outcomes.create_indexes()
    await stores.event_outcomes.create_indexes()
    yield stores
    await client.close()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.infra)])
def stores(request: pytest.FixtureRequest) -> Stores:
    """The in-memory stores and the MongoDB stores."""
    if request.param == "real":
        found: Stores = request.getfixturevalue("real")
        return found
    memory = request.getfixturevalue("gateway")
    return Stores(memory.originals, memory.quarantine, memory.keys, memory.outcomes, memory.event_outcomes)


async def test_originals_are_stored_once_byte_by_byte(stores: Stores) -> None:
    originals = stores.originals
    first, second = Original(b"\x00\xff<a/>", "application/xml"), Original(b"{}", "application/json")
    await originals.save([first, first])
    await originals.save([first, second])
    assert await originals.get(first.id) == first
    assert await originals.get(second.id) == second
    assert await originals.get("0") is None


def a_quarantined(offset: int, partner: str = "port-qd") -> Quarantined:
    return Quarantined(
        id=f"inbox.{partner}/0/{offset}",
        partner=partner,
        at=NOW + timedelta(seconds=offset),
        problem="invalid-event",
        values={"limit": "3"},
        faults=({"code": "field.required", "pointer": "/data/a.b/$c", "values": {"limit": ""}, "value": None},),
        key=None,
        headers=(("x", b"\xff"), ("x", None)),
        value=b"\x00{",
        submission={"source": "/a", "id": "1"},
    )


async def test_quarantine_stores_the_record_and_lists_the_newest_first(stores: Stores) -> None:
    quarantine = stores.quarantine
    records = [a_quarantined(offset) for offset in range(3)]
    await quarantine.save([*records, a_quarantined(9, "port-sh")])
    await quarantine.save([replace(records[0], problem="other")])
    assert await quarantine.of_partner("port-qd", before=None, limit=10) == records[::-1]
    assert await quarantine.of_partner("port-qd", before=records[2].place, limit=1) == [records[1]]
    assert await quarantine.get("port-qd", records[0].id) == records[0]
    assert await quarantine.get("port-sh", records[0].id) is None


async def test_records_with_the_same_time_are_each_listed_once(stores: Stores) -> None:
    quarantine = stores.quarantine
    await quarantine.save([replace(a_quarantined(offset), at=NOW) for offset in range(300)])
    seen: list[str] = []
    before = None
    while page := await quarantine.of_partner("port-qd", before=before, limit=7):
        seen += [each.id for each in page]
        before = page[-1].place
    assert len(seen) == 300
    assert len(set(seen)) == 300


async def test_keys_are_stored_and_revoked_once(stores: Stores) -> None:
    keys = stores.keys
    firm = Owner(OwnerKind.FIRM, "KZ-BIN:190540000014")
    made = [Key(f"{n}", firm, FIRM_SCOPES, "d" * 64, "erp", NOW, "staff:li", NOW + timedelta(days=1)) for n in range(3)]
    for key in made:
        await keys.add(key)
    await keys.add(Key("9", Owner(OwnerKind.PARTNER, "port-qd", "port"), (), "e" * 64, "", NOW, "staff:li"))
    assert await keys.get("0") == made[0]
    assert await keys.page(firm, "", 2) == made[:2]
    assert await keys.page(firm, "1", 2) == made[2:]
    assert len(await keys.page(None, "", 10)) == 4
    assert await keys.ids() == {"0", "1", "2", "9"}
    ended = await keys.revoke("0", NOW, "staff:wang", "lost")
    assert ended == replace(made[0], revoked_at=NOW, revoked_by="staff:wang", revoke_reason="lost")
    assert await keys.revoke("0", NOW + timedelta(hours=1), "staff:li", "again") == ended
    assert await keys.revoke("unknown", NOW, "staff:li", "x") is None


async def test_outcomes_store_each_event_once_and_return_them_in_order(stores: Stores) -> None:
    outcomes = stores.outcomes
    steps = [Step(f"D-1/0.{n}", n, "accepted", NOW.isoformat(), "", {"number": str(n)}) for n in range(1, 6)]
    await outcomes.note([("D-1", steps[1]), ("D-2", steps[0]), ("D-1", steps[0])])
    await outcomes.note([("D-1", step) for step in steps])
    await outcomes.note([("D-1", step) for step in steps])
    assert await outcomes.steps("D-1") == steps
    assert await outcomes.steps("D-2") == [steps[0]]
    assert await outcomes.steps("D-3") == []


async def test_notes_and_shares_are_stored_once_each_by_receipt_and_payment(
    stores: Stores,
) -> None:
    kept = stores.event_outcomes
    notes = [
        Note(
            f"D-{n}/0.1", 1, f"D-{n}", NOW.isoformat(), reason="wrong_currency", parameters={"owed": "CNY"}, payment="P"
        )
        for n in range(3)
    ]
    await kept.note([("E-1", notes[0]), ("E-2", notes[1])])
    await kept.note([("E-1", notes[0]), ("E-1", notes[2])])
    assert await kept.notes("E-1") == [notes[0], notes[2]]
    assert await kept.notes("E-2") == [notes[1]]
    assert await kept.notes("E-3") == []
    shares = [Share(f"S/0.{n}", n, f"D-{n}", NOW.isoformat(), "593.40", "CNY") for n in range(2)]
    await kept.share([("P-1", share) for share in shares])
    await kept.share([("P-1", shares[0])])
    assert await kept.shares("P-1") == shares
    assert await kept.shares("P-2") == []


@pytest.mark.infra
async def test_steps_stored_as_a_list_by_an_earlier_release_are_still_read(
    infrastructure: Infrastructure,
) -> None:
    client = mongo.connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    database = mongo.open_database(client, f"gateway-{uuid4().hex[:8]}")
    steps = [Step(f"D-1/0.{n}", n, "accepted", NOW.isoformat(), "", {"number": str(n)}) for n in range(1, 4)]
    await database["outcomes"].insert_one({"_id": "D-1", "steps": [asdict(step) for step in steps[:2]]})
    outcomes = MongoOutcomes(database)
    await outcomes.note([("D-1", step) for step in steps[1:]])
    assert await outcomes.steps("D-1") == steps
    await client.close()
