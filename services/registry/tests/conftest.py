"""Fixtures: the same tests run over in-memory stores and over MongoDB."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from services.registry.tests.registry_builders import RULES, World

from chassis import mongo
from chassis.aggregates import MongoDocuments
from chassis.settings import MongoSettings
from chassis.testing import in_memory
from contracts.topics import REGISTRY
from launcher.infrastructure import Infrastructure
from registry.ports import Ports
from registry.store import ENTERPRISE, MongoClaims, MongoContacts


@pytest_asyncio.fixture
async def real_ports(infrastructure: Infrastructure) -> AsyncIterator[Ports]:
    """Ports over a MongoDB database of their own."""
    client = mongo.connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    database = mongo.open_database(client, f"registry-{secrets.token_hex(4)}")
    documents = MongoDocuments(database[ENTERPRISE.collection])
    await documents.create_indexes(ENTERPRISE)
    enterprises, _ = in_memory(ENTERPRISE, topic=REGISTRY, documents=documents)
    yield Ports(enterprises, MongoClaims(database["claims"]), MongoContacts(database["contacts"]), RULES)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.infra)])
def ports(request: pytest.FixtureRequest) -> Ports:
    """Ports in memory and over MongoDB."""
    chosen: Ports = World().ports() if request.param == "memory" else request.getfixturevalue("real_ports")
    return chosen
