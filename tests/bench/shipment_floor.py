"""The floor of a whole shipment: its durable writes, sends and reads in batches, and nothing else.

It does the work of a recorded shipment (`plan.py`): the same events with the same headers and values, the same
documents with the same fields, the same mails, on topics with the same number of partitions and one consumer group per
service. Each service is one loop: read a batch, load the documents to change, insert the new ones in bulk and change
the others by compare-and-set in bulk, publish the saved events with acks=all, commit. It is as durable as the platform:
an event stays in its document's outbox until it is acknowledged, and offsets are committed only after saving. Every
event becomes a document of tracking, every event of a declaration an entry of the gateway, every partner event a
document of declarations.

It leaves out: HTTP and keys, gRPC between services (answers of peers are known), validation, contracts, decisions,
de-duplication, parking, timers, traces, spans, logs, metrics, a second replica, resending after a kill, and all saves
that publish nothing (the claim of a mail, an address). A notice is created, addressed and ready with one insert. All
services are tasks of one process, where the platform has six: one core, and the drivers' overhead only once.

All shipments have the recorded values, only keys and ids differ, so data compresses better than real events would.
Firms and partners answer at once, like those of the load.
"""

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord  # noqa: TID251 - code without the chassis
from aiosmtplib import SMTP
from pymongo import IndexModel, UpdateMany, UpdateOne

from bench.lanes import Lanes, Record
from bench.plan import Plan, Step, by_subject, fields_of, planned
from bench.recording import Told, read_recording
from chassis.mongo import Database, connect, open_database
from chassis.settings import MongoSettings
from chassis.tasks import cancel
from contracts.topics import DECLARATIONS, EVENT_TOPICS, PARTNERS
from launcher.services import SERVICES

T = TypeVar("T")

BATCH = 200
TRIM_SECONDS = 1.0
TRIM_AT_ONCE = 25
"""Documents trimmed by one statement: the embedded server compares each document with every id of the statement."""
TRIMS_AT_ONCE = 8
"""Statements per command: a thousand documents in one command would take longer than the driver's time-out."""
MAIL_CONNECTIONS = 4

Document = dict[str, Any]
Due = tuple[int, Step]
"""A shipment's number and one of its steps."""

KEPT = {
    "tracking": ("entries", tuple(topic.name for topic in EVENT_TOPICS)),
    "declarations": ("partner_events", (PARTNERS.name,)),
    "gateway": ("outcomes", (DECLARATIONS.name,)),
}
"""Service → the collection in which it stores each event of these topics."""


def named(number: int, id_: str) -> str:
    """The id of a recorded document or event in the shipment with this number."""
    return f"{number}~{id_}"


@dataclass
class Service:
    """One service's documents and their saves."""

    name: str
    database: Database
    lanes: Lanes
    prefix: str

    async def prepare(self, collections: Sequence[str]) -> None:
        """Create the indexes before the first document."""
        for collection in collections:
            await self.database[collection].create_indexes([IndexModel("key"), IndexModel("outbox.seq", sparse=True)])

    async def save(self, due: Sequence[Due]) -> None:
        """Save steps, grouped by document, and publish their events.

        Raises:
            RuntimeError: another process changed a document.
        """
        inserts: dict[str, list[Document]] = {}
        changes: dict[str, list[tuple[str, list[Step]]]] = {}
        publish: list[tuple[str, list[tuple[int, Record]]]] = []
        for (number, subject), steps in by_subject(due):
            id_, first = named(number, subject), steps[0]
            if not first.first:
                changes.setdefault(first.collection, []).append((id_, steps))
                continue
            entries, records = self._entries(number, steps)
            head = {"_id": id_, "key": records[0][1].key.decode(), "version": 1, "seq": entries[-1]["seq"]}
            document = {**head, "state": first.state, "causes": [entries[0]["cause"]], "outbox": entries}
            inserts.setdefault(first.collection, []).append(document)
            for collection, kept in first.beside:
                inserts.setdefault(collection, []).append({"_id": named(number, kept["_id"]), **fields_of(kept)})
            publish.append((id_, records))
        saving = [self.database[name].insert_many(documents, ordered=False) for name, documents in inserts.items()]
        changing = [self._change(name, one) for name, one in changes.items()]
        _, changed = await asyncio.gather(asyncio.gather(*saving), asyncio.gather(*changing))
        publish += itertools.chain.from_iterable(changed)
        for id_, records in publish:
            self.lanes.publish(f"{self.name}/{id_}", records)

    async def _change(
        self, collection: str, changes: Sequence[tuple[str, list[Step]]]
    ) -> list[tuple[str, list[tuple[int, Record]]]]:
        stored = self.database[collection]
        ids = [id_ for id_, _ in changes]
        found = {each["_id"]: each async for each in stored.find({"_id": {"$in": ids}}, batch_size=BATCH)}
        operations, publish = [], []
        for id_, steps in changes:
            document = found[id_]
            entries, records = self._entries(int(id_.partition("~")[0]), steps, after=document["seq"])
            acknowledged = self.lanes.acknowledged.get(f"{self.name}/{id_}", 0)
            waiting = [each for each in document["outbox"] if each["seq"] > acknowledged]
            values = {"version": document["version"] + 1, "seq": entries[-1]["seq"], "outbox": waiting + entries}
            update = {"$set": values, "$push": {"causes": {"$each": [each["cause"] for each in entries]}}}
            operations.append(UpdateOne({"_id": id_, "version": document["version"]}, update))
            publish.append((id_, records))
        result = await stored.bulk_write(operations, ordered=False)
        if result.matched_count != len(operations):
            raise RuntimeError(f"another process writes to {collection}")
        return publish

    def _entries(
        self, number: int, steps: Sequence[Step], after: int = 0
    ) -> tuple[list[Document], list[tuple[int, Record]]]:
        entries, records = [], []
        for seq, told in enumerate((told for step in steps for told in step.events), start=after + 1):
            record = self._record(number, told)
            entries.append(
                {
                    "seq": seq,
                    "time": told.envelope.time,
                    "cause": named(number, told.envelope.causationid),
                    "headers": [list(each) for each in record.headers],
                    "data": record.value,
                }
            )
            records.append((seq, record))
        return entries, records

    def _record(self, number: int, told: Told) -> Record:
        renamed = {
            "ce_id": named(number, told.envelope.id).encode(),
            "ce_subject": named(number, told.envelope.subject).encode(),
            "ce_causationid": named(number, told.envelope.causationid).encode(),
        }
        headers = [(name, renamed.get(name, value)) for name, value in told.headers]
        return Record(f"{self.prefix}{told.topic}", f"{number}~".encode() + told.key, told.value, headers)

    async def keep(self, records: Sequence[ConsumerRecord]) -> None:
        """Insert a document for each event that this service stores."""
        collection, topics = KEPT[self.name]
        kept = [
            {
                "_id": dict(each.headers)["ce_id"].decode(),
                "key": each.key.decode(),
                "topic": each.topic,
                "partition": each.partition,
                "offset": each.offset,
                "headers": [list(one) for one in each.headers],
                "raw": each.value,
            }
            for each in records
            if each.topic.removeprefix(self.prefix) in topics
        ]
        if kept:
            await self.database[collection].insert_many(kept, ordered=False)


@dataclass
class Floor:
    """All services, the mail sender, firms and partners."""

    plan: Plan
    mails: Sequence[bytes]
    services: dict[str, Service]
    lanes: Lanes
    in_flight: int
    smtp: tuple[str, int]
    closed: int = 0
    round: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when as many shipments were closed as are in flight."""
    begun: Any = field(default_factory=itertools.count)
    door: "asyncio.Queue[Due]" = field(default_factory=asyncio.Queue)
    to_mail: "asyncio.Queue[Due]" = field(default_factory=asyncio.Queue)
    sent: "asyncio.Queue[Due]" = field(default_factory=asyncio.Queue)

    def begin(self) -> None:
        """Let a firm lodge its next shipment."""
        number = next(self.begun)
        for step in self.plan.on_heard[""]:
            self.door.put_nowait((number, step))

    async def read(self, name: str, consumer: AIOKafkaConsumer) -> None:
        """Run one service until cancelled."""
        service = self.services[name]
        while True:
            await self.lanes.room.wait()
            fetched = await consumer.getmany(timeout_ms=50, max_records=BATCH)
            records = [record for each in fetched.values() for record in each]
            if not records:
                continue
            due = [
                (number, step)
                for number, event in map(_named, records)
                for step in self.plan.on_event.get((name, event), ())
            ]
            await asyncio.gather(
                *([service.save(due)] if due else []), *([service.keep(records)] if name in KEPT else [])
            )
            self._mail(due)
            await consumer.commit()

    def _mail(self, due: Sequence[Due]) -> None:
        for number, step in due:
            for sent in self.plan.on_sent.get(step.subject, ()) if step.first else ():
                self.to_mail.put_nowait((number, sent))

    async def knock(self) -> None:
        """Run the gateway until cancelled: process submissions of firms and partners in batches."""
        while True:
            due = [await self.door.get()]
            while not self.door.empty() and len(due) < BATCH:
                due.append(self.door.get_nowait())
            await self.services["gateway"].save(due)

    async def hear(self, consumer: AIOKafkaConsumer) -> None:
        """Run firms and partners until cancelled: they react to the events of declarations."""
        while True:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                for number, event in map(_named, records):
                    for step in self.plan.on_heard.get(event, ()):
                        self.door.put_nowait((number, step))
                    if event == self.plan.closes:
                        self.closed += 1
                        self.begin()
                        if self.closed >= self.in_flight:
                            self.round.set()

    async def note(self) -> None:
        """Record sent mails in batches until cancelled."""
        while True:
            due = [await self.sent.get()]
            while not self.sent.empty() and len(due) < BATCH:
                due.append(self.sent.get_nowait())
            await self.services["notifications"].save(due)

    async def send(self) -> None:
        """Send mails over one open connection until cancelled."""
        host, port = self.smtp
        mails = itertools.cycle(self.mails)
        async with SMTP(hostname=host, port=port, start_tls=False) as post:
            while True:
                due = await self.to_mail.get()
                await post.sendmail("notices@floor.example", ["firm@floor.example"], _content(next(mails)))
                self.sent.put_nowait(due)

    async def trim(self) -> None:
        """Trim acknowledged events from outboxes until cancelled, with few statements for many documents."""
        places = {(step.service, step.subject): step.collection for step in self.plan.steps}
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            quiet = self.lanes.quiet()
            groups: dict[tuple[str, str, int], list[str]] = {}
            for lane, seq in quiet.items():
                service, _, id_ = lane.partition("/")
                groups.setdefault((service, places[service, id_.partition("~")[2]], seq), []).append(id_)
            for (service, collection, seq), ids in groups.items():
                pulled = {"$pull": {"outbox": {"seq": {"$lte": seq}}}}
                stored = self.services[service].database[collection]
                trims = [UpdateMany({"_id": {"$in": some}}, pulled) for some in _cut(ids, TRIM_AT_ONCE)]
                for some in _cut(trims, TRIMS_AT_ONCE):
                    await stored.bulk_write(some, ordered=False)
            self.lanes.trimmed(quiet)

    async def window(self, warm_seconds: float, seconds: float) -> dict[str, float]:
        """Start the shipments, wait until as many were closed or the warm-up is over, then measure."""
        for _ in range(self.in_flight):
            self.begin()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.round.wait(), warm_seconds)
        before, begun, cpu = self.closed, time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        return {
            "closed_before": before,
            "closed": self.closed - before,
            "seconds": time.monotonic() - begun,
            "cpu": time.process_time() - cpu,
        }


def _named(record: ConsumerRecord) -> tuple[int, str]:
    """The number of the shipment and the recorded event's id."""
    number, _, event = dict(record.headers)["ce_id"].decode().partition("~")
    return int(number), event


def _cut(all_: Sequence[T], at_once: int) -> list[Sequence[T]]:
    return [all_[first : first + at_once] for first in range(0, len(all_), at_once)]


def _content(mail: bytes) -> str:
    """A mail as it was sent, without the headers of the receiving server."""
    message = message_from_bytes(mail)
    del message["X-Envelope-To"]
    return message.as_string()


async def run(given: argparse.Namespace) -> dict[str, float]:
    """Run everything for one window."""
    recording = read_recording(given.recording)
    plan = planned(recording)
    client = connect(MongoSettings.model_validate({"url": given.mongo}))
    producer = AIOKafkaProducer(
        bootstrap_servers=given.kafka, acks="all", enable_idempotence=True, compression_type="lz4",
        linger_ms=5, max_batch_size=128 * 1024,
    )  # fmt: skip
    await producer.start()
    lanes = Lanes(producer)
    prefix = f"{given.name}."
    services = {name: Service(name, open_database(client, f"{given.name}-{name}"), lanes, prefix) for name in SERVICES}
    for name, service in services.items():
        saved = {step.collection for step in plan.steps if step.service == name}
        await service.prepare(sorted(saved | ({KEPT[name][0]} if name in KEPT else set())))
    floor = Floor(plan, recording.mails, services, lanes, given.in_flight, (given.smtp_host, given.smtp_port))
    async with contextlib.AsyncExitStack() as stack:
        readers = {name: await _reader(stack, given, name) for name in SERVICES if _reads(name)}
        heard = await _reader(stack, given, "", DECLARATIONS.name)
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)
        working = [floor.read(name, reader) for name, reader in readers.items()]
        working += [floor.knock(), floor.hear(heard), floor.note(), floor.trim()]
        working += [floor.send() for _ in range(MAIL_CONNECTIONS)]
        tasks = [asyncio.create_task(each) for each in working]
        window = asyncio.create_task(floor.window(given.warm, given.seconds))
        await asyncio.wait([*tasks, window], return_when=asyncio.FIRST_COMPLETED)
        broken = [task for task in tasks if task.done()]
        await cancel(set(tasks) - set(broken))  # one cancel is not enough: the drivers swallow it
        for task in broken:
            task.result()
        result = await window
    await producer.stop()
    return result


def _reads(name: str) -> list[str]:
    return [topic.name for topic in EVENT_TOPICS if name in topic.readers]


async def _reader(
    stack: contextlib.AsyncExitStack, given: argparse.Namespace, name: str, *topics: str
) -> AIOKafkaConsumer:
    """A service's consumer; without a name, one without a group that reads from the end."""
    wanted = [f"{given.name}.{topic}" for topic in topics or _reads(name)]
    reader = AIOKafkaConsumer(
        *wanted, bootstrap_servers=given.kafka, group_id=f"{given.name}-{name}" if name else None,
        auto_offset_reset="earliest", enable_auto_commit=False, max_poll_records=BATCH,
    )  # fmt: skip
    await reader.start()
    stack.push_async_callback(reader.stop)
    return reader


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shipment_floor", description=__doc__)
    for name in ("kafka", "mongo", "name", "smtp-host"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--warm", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--to", type=Path, required=True, help="file for the result")
    given = parser.parse_args()
    given.to.write_text(json.dumps(asyncio.run(run(given))))


if __name__ == "__main__":
    main()
