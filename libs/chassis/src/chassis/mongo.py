"""Connections to MongoDB; an acknowledged write is never rolled back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from prometheus_client import Counter
from pymongo import AsyncMongoClient, InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis import driver_locks
from chassis.settings import CONNECTIONS, MongoSettings
from chassis.telemetry import metrics
from chassis.tls import client_context

driver_locks.mend()

Database = AsyncDatabase[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]

CONFIRMED_MS = 10_000
"""How long a write may wait for a majority of the servers."""
_DUPLICATE_KEY = 11000


_STATEMENTS = {"insert": "documents", "update": "updates", "delete": "deletes"}
"""Command → its field that lists the single writes."""


class Commands(CommandListener):
    """Counts the commands that the driver sends, to show what a piece of work costs the database."""

    def __init__(self) -> None:
        self._started: dict[int, tuple[str, int]] = {}
        """Request id → collection and number of single writes."""

    def started(self, event: CommandStartedEvent) -> None:
        named = event.command.get("collection" if event.command_name == "getMore" else event.command_name)
        statements = len(event.command.get(_STATEMENTS.get(event.command_name, ""), ()))
        self._started[event.request_id] = named if isinstance(named, str) else "", statements

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._ended(event)

    def failed(self, event: CommandFailedEvent) -> None:
        self._ended(event)

    def _ended(self, event: CommandSucceededEvent | CommandFailedEvent) -> None:
        collection, single = self._started.pop(event.request_id, ("", 0))
        commands, statements, seconds = _counters(event.command_name, collection)
        commands.inc()
        statements.inc(single)
        seconds.inc(event.duration_micros / 1e6)


@lru_cache(256)
def _counters(command: str, collection: str) -> tuple[Counter, Counter, Counter]:
    """Cached: looking the labels up costs more than counting."""
    labels = command, collection
    return (
        metrics.DATABASE_COMMANDS.labels(*labels),
        metrics.DATABASE_STATEMENTS.labels(*labels),
        metrics.DATABASE_SECONDS.labels(*labels),
    )


def connect(settings: MongoSettings) -> AsyncMongoClient[dict[str, Any]]:
    """A client that waits a few seconds for a server, then fails.

    The driver's retryable writes are off. Our own callers retry for minutes, and every write is idempotent, so the
    server need not remember answers for the driver. SecantusDB would scan half an hour of remembered answers on every
    write, and slow down with each shipment.

    Raises:
        CertificatesNotRead: a file with certificates or a key cannot be used.
    """
    password = settings.password.get_secret_value() if settings.password else None
    tls = settings.tls or settings.ca_file is not None or settings.certificate_file is not None
    context = client_context(settings.ca_file, settings.certificate_file, settings.key_file) if tls else None
    options: dict[str, Any] = {"tls": True} if tls else {}  # a plain False would undo what the URL says
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        settings.url.get_secret_value(),
        username=settings.username or None,
        password=password,
        tz_aware=True,
        tzinfo=UTC,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=20_000,
        maxPoolSize=CONNECTIONS,
        retryWrites=False,
        event_listeners=[Commands()],
        **options,
    )
    if context is not None:
        # The driver takes names of files, reads them once, and tells nobody which one was wrong.
        client.options.pool_options._PoolOptions__ssl_context = context  # type: ignore[attr-defined]
    return client


def open_database(client: AsyncMongoClient[dict[str, Any]], name: str) -> Database:
    """A database with majority writes in the journal and majority reads from the primary.

    A write that no majority confirms in time fails as such, instead of by the connection's time-out. It may count all
    the same, as after a lost answer.
    """
    confirmed = WriteConcern("majority", wtimeout=CONFIRMED_MS, j=True)
    return client.get_database(name, write_concern=confirmed, read_concern=ReadConcern("majority"))


async def server_time(client: AsyncMongoClient[dict[str, Any]]) -> datetime:
    """The database server's clock."""
    hello = await client.admin.command("hello")
    moment: datetime = hello["localTime"]
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def insert_missing(collection: Collection, documents: Sequence[dict[str, Any]]) -> set[str]:
    """Insert the documents whose `_id` is free, in one round trip; return the ids that were taken.

    An id that occurs twice among the documents is inserted once and counts as taken.

    Raises:
        PyMongoError: anything but a taken id.
    """
    unique: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for document in documents:
        if unique.setdefault(document["_id"], document) is not document:
            taken.add(document["_id"])
    if not unique:
        return taken
    try:
        await collection.bulk_write([InsertOne(each) for each in unique.values()], ordered=False)
    except BulkWriteError as error:
        faults = taken_ids(error)
        ids = list(unique)
        taken |= {ids[index] for index in faults}
    return taken


async def insert_in_order(collection: Collection, documents: Sequence[dict[str, Any]]) -> None:
    """Insert the documents whose `_id` is free, one after the other.

    If the write is cut off, a prefix of the documents is stored: no later one without the earlier ones.

    Raises:
        PyMongoError: anything but a taken id.
    """
    missing = [_insert_where_free(each) for each in documents]
    while missing:
        try:
            await collection.bulk_write(missing, ordered=True)
        except BulkWriteError as error:
            # Somebody else inserted the same id: it is there now, and the documents after it were not attempted.
            missing = missing[taken_ids(error)[0] + 1 :]
        else:
            return


def _insert_where_free(document: dict[str, Any]) -> UpdateOne:
    fields = {name: value for name, value in document.items() if name != "_id"}
    return UpdateOne({"_id": document["_id"]}, {"$setOnInsert": fields}, upsert=True)


def taken_ids(error: BulkWriteError) -> list[int]:
    """The positions of the operations whose id was taken.

    Raises:
        BulkWriteError: the error itself, if anything else went wrong too.
    """
    faults = error.details["writeErrors"]
    if error.details.get("writeConcernErrors") or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
        raise error
    return [fault["index"] for fault in faults]
