"""Fixtures: the same tests run over in-memory stores and over MongoDB."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from pydantic import SecretStr
from services.declarations.tests.declaration_builders import in_lane
from services.declarations.tests.declaration_fakes import MemoryPartnerEvents, MemorySerials

from chassis import mongo
from chassis.aggregates import MongoDocuments
from chassis.aggregates.store import Documents
from chassis.parking.mongo import MongoParking
from chassis.settings import MongoSettings
from chassis.testing import ManualClock, MemoryDocuments, MemoryParking, RecordingOutbox, in_memory
from contracts.topics import DECLARATIONS
from declarations.aggregate import Declarations, declaration_type
from declarations.domain.state import Lane
from declarations.ports import PartnerEvents, Serials
from declarations.store import MongoPartnerEvents, MongoSerials
from launcher.infrastructure import Infrastructure

TYPE = declaration_type(in_lane(Lane.GREEN))


@dataclass
class Stores:
    """The stores of the handlers."""

    documents: Documents
    events: PartnerEvents
    serials: Serials
    parking: MemoryParking | MongoParking
    clock: ManualClock

    def __post_init__(self) -> None:
        self.outbox: RecordingOutbox
        self.declarations: Declarations
        self.declarations, self.outbox = in_memory(TYPE, topic=DECLARATIONS, clock=self.clock, documents=self.documents)


@pytest_asyncio.fixture
async def real_stores(infrastructure: Infrastructure) -> AsyncIterator[Stores]:
    """Stores over a MongoDB database of their own."""
    client = mongo.connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    name = f"declarations-{secrets.token_hex(4)}"
    database = mongo.open_database(client, name)
    documents = MongoDocuments(database[TYPE.collection])
    await documents.create_indexes(TYPE)
    events = MongoPartnerEvents(database)
    await events.create_indexes()
    clock = ManualClock()
    parking = MongoParking(database, clock)
    await parking.create_indexes()
    yield Stores(documents, events, MongoSerials(database), parking, clock)
    await client.drop_database(name)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.infra)])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Stores in memory and over MongoDB."""
    if request.param == "memory":
        clock = ManualClock()
        return Stores(MemoryDocuments(), MemoryPartnerEvents(), MemorySerials(), MemoryParking(clock), clock)
    real: Stores = request.getfixturevalue("real_stores")
    return real
