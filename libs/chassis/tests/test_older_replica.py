"""Replicas of an older and a newer release save the same documents, and the older one erases no unknown fields."""

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from tallies import TOPIC

from chassis import mongo
from chassis.aggregates import AggregateType, Applied, Input, MongoDocuments
from chassis.aggregates.codec import dataclass_codec
from chassis.aggregates.store import Documents
from chassis.settings import MongoSettings
from chassis.testing import MemoryDocuments, in_memory
from launcher.infrastructure import Infrastructure


@dataclass(frozen=True, slots=True)
class Payment:
    paid: int = 0
    status: str = "open"


@dataclass(frozen=True, slots=True)
class Bill:
    payment: Payment = Payment()
    items: tuple[Payment, ...] = (Payment(),)
    seen: Mapping[str, int] = field(default_factory=dict)


def pay(bill: Bill | None, amount: int) -> Bill:
    bill = bill or Bill()
    seen = {name: count for name, count in bill.seen.items() if name != f"a.{amount - 1}"} | {f"a.{amount}": amount}
    return replace(bill, payment=replace(bill.payment, paid=amount), seen=seen)


def decide(bill: Bill | None, amount: int, now: datetime) -> tuple[int, ...]:
    return (amount,)


class Messages:
    def encode(self, event: int, state: Bill) -> tuple[str, bytes]:
        return "trade.tests.bill.paid.v1", str(event).encode()

    def decode(self, type: str, data: bytes) -> int:  # noqa: A002 - the port's name
        return int(data)


BILL: AggregateType[Bill, int, int] = AggregateType(
    name="bill",
    collection="bills",
    decide=decide,
    evolve=pay,
    key=lambda _: "key",
    codec=dataclass_codec(Bill),
    messages=Messages(),
)


@pytest.fixture
def memory_documents() -> Documents:
    return MemoryDocuments()


@pytest.fixture
async def mongo_documents(infrastructure: Infrastructure) -> AsyncIterator[Documents]:
    client = mongo.connect(MongoSettings.model_validate({"url": infrastructure.mongo_url}))
    name = f"older-{uuid.uuid4().hex[:12]}"
    yield MongoDocuments(mongo.open_database(client, name)["bills"])
    await client.drop_database(name)
    await client.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.infra)])
def documents(request: pytest.FixtureRequest) -> Documents:
    found: Documents = request.getfixturevalue(f"{request.param}_documents")
    return found


async def write_as_newer_release(documents: Documents) -> None:
    """What a newer release would have added, at every depth."""
    if isinstance(documents, MemoryDocuments):
        state = documents.stored["B-1"]["state"]
        state["office"] = state["payment"]["bank"] = state["items"][0]["bank"] = "new"
    else:
        assert isinstance(documents, MongoDocuments)
        added = {"state.office": "new", "state.payment.bank": "new", "state.items.0.bank": "new"}
        await documents.collection.update_one({"_id": "B-1"}, {"$set": added})


async def test_fields_of_a_newer_release_outlive_a_save_of_the_older_one(documents: Documents) -> None:
    bills, _ = in_memory(BILL, topic=TOPIC, documents=documents)
    for amount in (1, 2):
        assert isinstance(await bills.apply_one(Input("B-1", f"c-{amount}", amount, "staff:test")), Applied)
        if amount == 1:
            await write_as_newer_release(documents)
    assert await bills.get("B-1") == Bill(Payment(2), seen={"a.2": 2})
    state = (await documents.load(["B-1"]))["B-1"]["state"]
    assert state["office"] == "new"
    assert state["payment"] == {"paid": 2, "status": "open", "bank": "new"}
    assert state["items"] == [{"paid": 0, "status": "open", "bank": "new"}], "what was not touched is not written"
    assert state["seen"] == {"a%2E2": 2}, "what the older release does know, it may take away"
