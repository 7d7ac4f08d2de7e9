"""An aggregate that lives long keeps its document small and forgets nothing."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from pydantic import SecretStr

from chassis.aggregates import AggregateType, Applied, Duplicate, Input, MongoDocuments
from chassis.aggregates.apply import MAX_LINES
from chassis.aggregates.codec import dataclass_codec
from chassis.aggregates.store import Documents
from chassis.mongo import connect, open_database
from chassis.settings import MongoSettings
from chassis.testing import MemoryDocuments, in_memory
from contracts.topics import REGISTRY
from launcher.infrastructure import Infrastructure


@dataclass(frozen=True, slots=True)
class Count:
    id: str
    total: int


@dataclass(frozen=True, slots=True)
class Add:
    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Added:
    id: str
    number: int


def decide(state: Count | None, command: Add, now: datetime) -> tuple[Added, ...]:
    return (Added(command.id, command.number),)


def evolve(state: Count | None, event: Added) -> Count:
    return Count(event.id, (state.total if state else 0) + event.number)


class CountMessages:
    def encode(self, event: Added, state: Count) -> tuple[str, bytes]:
        return "trade.registry.count.added.v1", json.dumps({"id": event.id, "number": event.number}).encode()

    def decode(self, type: str, data: bytes) -> Added:  # noqa: A002
        return Added(**json.loads(data))


COUNT = AggregateType(
    name="count",
    collection="counts",
    decide=decide,
    evolve=evolve,
    key=lambda state: state.id,
    codec=dataclass_codec(Count),
    messages=CountMessages(),
)


@pytest.fixture(params=["memory", "mongo"])
async def documents(request: pytest.FixtureRequest, infrastructure: Infrastructure) -> AsyncIterator[Documents]:
    if request.param == "memory":
        yield MemoryDocuments()
        return
    client = connect(MongoSettings(url=SecretStr(infrastructure.mongo_url)))
    store = MongoDocuments(open_database(client, f"t{secrets.token_hex(4)}")["counts"])
    await store.create_indexes(COUNT)
    yield store
    await client.close()


def adding(cause: int) -> Input[Add]:
    return Input("c1", f"cause-{cause}", Add("c1", 1), "service:test", hash=str(cause))


async def test_an_input_whose_line_was_moved_is_still_a_duplicate(documents: Documents) -> None:
    counts, outbox = in_memory(COUNT, topic=REGISTRY, documents=documents)
    many = MAX_LINES + 50
    outcomes = await counts.apply([adding(number) for number in range(many)])
    assert all(isinstance(outcome, Applied) for outcome in outcomes)
    stored = (await documents.load(["c1"]))["c1"]
    assert len(stored["history"]) < MAX_LINES
    assert stored["moved"] + len(stored["history"]) == many

    again = await counts.apply([adding(0), adding(many - 1), adding(many)])

    assert [type(outcome) for outcome in again] == [Duplicate, Duplicate, Applied]
    assert await counts.get("c1") == Count("c1", many + 1)
    assert len(outbox.published) == many + 1


async def test_other_content_under_a_moved_cause_is_a_conflict(documents: Documents) -> None:
    counts, _ = in_memory(COUNT, topic=REGISTRY, documents=documents)
    await counts.apply([adding(number) for number in range(MAX_LINES + 1)])
    outcome = await counts.apply_one(Input("c1", "cause-0", Add("c1", 9), "service:test", hash="other"))
    assert type(outcome).__name__ == "Conflict"
