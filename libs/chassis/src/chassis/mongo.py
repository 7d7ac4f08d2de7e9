"""Connections to MongoDB: what was acknowledged is never rolled back."""

from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis.settings import MongoSettings

Database = AsyncDatabase[dict[str, Any]]


def connect(settings: MongoSettings) -> AsyncMongoClient[dict[str, Any]]:
    """A client that waits a few seconds for a server, no longer."""
    password = settings.password.get_secret_value() if settings.password else None
    return AsyncMongoClient(
        settings.url.get_secret_value(),
        username=settings.username or None,
        password=password,
        tz_aware=True,
        tzinfo=UTC,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=20_000,
    )


def open_database(client: AsyncMongoClient[dict[str, Any]], name: str) -> Database:
    """A database with majority writes in the journal and majority reads from the primary."""
    return client.get_database(
        name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
    )


async def server_time(client: AsyncMongoClient[dict[str, Any]]) -> datetime:
    """The database server's clock."""
    hello = await client.admin.command("hello")
    moment: datetime = hello["localTime"]
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
