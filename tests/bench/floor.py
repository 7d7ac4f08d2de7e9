"""The floor: the cost of the toy's chain of counters in a hand-written, optimised loop.

It is as durable as the platform: an input is applied once (its id is in the document), state, history
and outbox are saved by one compare-and-set, offsets are committed only after saving, events are
published with acks=all, and events left unsent by a killed process are sent at the next start. It has no
parking, traces, timers, metrics or second replica, and ends at the first error. It is a process of its
own, like the toy.
"""

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord  # noqa: TID251 - code without the chassis
from chaos.toy.domain import next_counter
from chaos.toy.messages import COUNTED, ORDER_PLACED
from pymongo import IndexModel, InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from bench.lanes import Lanes, Record
from chassis.mongo import connect, open_database
from chassis.settings import MongoSettings

BATCH = 200
TRIM_SECONDS = 1.0

Document = dict[str, Any]


class Floor:
    """One loop over two topics and one collection."""

    def __init__(self, bootstrap_servers: str, collection: AsyncCollection[Document], orders: str, events: str) -> None:
        self._collection = collection
        self._events = events
        self._consumer = AIOKafkaConsumer(
            orders, events, bootstrap_servers=bootstrap_servers, group_id=events, auto_offset_reset="earliest",
            enable_auto_commit=False, max_poll_records=BATCH,
        )  # fmt: skip
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, compression_type="lz4",
            linger_ms=5, max_batch_size=128 * 1024,
        )  # fmt: skip
        self._lanes = Lanes(self._producer)

    async def run(self) -> None:
        """Run until something fails."""
        await self._collection.create_indexes([IndexModel("outbox.time", sparse=True)])
        await self._producer.start()
        async for document in self._collection.find({"outbox.time": {"$exists": True}}):
            self._publish([(document["_id"], document["key"], each) for each in document["outbox"]])
        await self._consumer.start()
        trimming = asyncio.create_task(self._trim_for_ever())
        while not trimming.done():
            await self._lanes.room.wait()
            fetched = await self._consumer.getmany(timeout_ms=50, max_records=BATCH)
            records = [record for each in fetched.values() for record in each]
            if records:
                await self._step(records)
                await self._consumer.commit()
        trimming.result()

    async def _step(self, records: Sequence[ConsumerRecord]) -> None:
        inputs: dict[str, list[tuple[str, Document]]] = {}
        for record in records:
            headers = dict(record.headers)
            said, cause = json.loads(record.value), headers["ce_id"].decode()
            if headers["ce_type"] == ORDER_PLACED.encode():
                for counter in said["counters"]:
                    inputs.setdefault(counter, []).append((cause, said))
            elif said["hops"] > 0:
                following = {**said, "hops": said["hops"] - 1}
                inputs.setdefault(next_counter(said["counter"]), []).append((cause, following))
        if not inputs:
            return
        found = self._collection.find({"_id": {"$in": list(inputs)}})
        documents = {document["_id"]: document async for document in found}
        operations: list[InsertOne[Document] | UpdateOne] = []
        entries: list[tuple[str, str, Document]] = []
        for counter, given in inputs.items():
            operation, new = self._decide(counter, documents.get(counter), given)
            if operation is not None:
                operations.append(operation)
                entries += [(counter, given[0][1]["key"], entry) for entry in new]
        if operations:
            result = await self._collection.bulk_write(operations, ordered=False)
            if result.inserted_count + result.matched_count != len(operations):
                raise RuntimeError("another process writes to this collection")
            self._publish(entries)

    def _decide(
        self, counter: str, document: Document | None, given: Sequence[tuple[str, Document]]
    ) -> tuple[InsertOne[Document] | UpdateOne | None, list[Document]]:
        """The write that saves the new inputs, and the resulting events."""
        known = set(document["applied"]) if document else set()
        total, seq = (document["total"], document["seq"]) if document else (0, 0)
        causes: list[str] = []
        new: list[Document] = []
        now = datetime.now(UTC)
        for cause, said in given:
            if cause in known:
                continue
            known.add(cause)
            causes.append(cause)
            total, seq = total + said["amount"], seq + 1
            counted = {
                "counter": counter, "key": said["key"], "number": said["number"], "amount": said["amount"],
                "hops": said["hops"], "ask_from": None, "due": None,
            }  # fmt: skip
            new.append({"seq": seq, "time": now, "cause": cause, "data": json.dumps(counted)})
        if not new:
            return None, []
        if document is None:
            fields = {"key": given[0][1]["key"], "version": 1, "total": total, "seq": seq}
            return InsertOne({"_id": counter, **fields, "applied": causes, "outbox": new}), new
        acknowledged = self._lanes.acknowledged.get(counter, 0)
        outbox = [entry for entry in document["outbox"] if entry["seq"] > acknowledged] + new
        values = {"version": document["version"] + 1, "total": total, "seq": seq, "outbox": outbox}
        update = {"$set": values, "$push": {"applied": {"$each": causes}}}
        return UpdateOne({"_id": counter, "version": document["version"]}, update), new

    def _publish(self, entries: Sequence[tuple[str, str, Document]]) -> None:
        for counter, key, entry in entries:
            self._lanes.publish(counter, [(entry["seq"], self._record(counter, key, entry))])

    def _record(self, counter: str, key: str, entry: Document) -> Record:
        headers = [
            ("ce_id", f"{counter}/0.{entry['seq']}".encode()),
            ("ce_source", b"/trade/floor"),
            ("ce_type", COUNTED.encode()),
            ("ce_time", entry["time"].isoformat().encode()),
            ("ce_specversion", b"1.0"),
            ("ce_subject", counter.encode()),
            ("ce_sequence", str(entry["seq"]).encode()),
            ("ce_partitionkey", key.encode()),
            ("ce_causationid", entry["cause"].encode()),
            ("content-type", b"application/json"),
        ]
        return Record(self._events, key.encode(), entry["data"].encode(), headers)

    async def _trim_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            quiet = self._lanes.quiet()
            if quiet:
                await self._collection.bulk_write(
                    [
                        UpdateOne({"_id": id_}, {"$pull": {"outbox": {"seq": {"$lte": seq}}}})
                        for id_, seq in quiet.items()
                    ],
                    ordered=False,
                )
            self._lanes.trimmed(quiet)


async def main(bootstrap_servers: str, mongo_url: str, database: str, orders: str, events: str) -> None:
    client = connect(MongoSettings.model_validate({"url": mongo_url}))
    await Floor(bootstrap_servers, open_database(client, database)["counters"], orders, events).run()


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
