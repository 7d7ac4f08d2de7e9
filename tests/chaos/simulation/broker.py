"""A broker in memory: partitions, idempotent producers' acknowledgements, one consumer group with static members.

The group rebalances eagerly: everybody gives back what it has, then all is given out anew. A member that
is dead or frozen is out of it after a session; what it commits then is refused.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError
from chaos.simulation.schedule import Network, Process

from chassis.delivery.records import RawRecord
from chassis.publishing.producer import Heard, Message

PARTITIONS = 3
SESSION_SECONDS = 2.0
HEARTBEAT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Told:
    """Where a record came to stand."""

    topic: str
    partition: int
    offset: int


class Broker:
    """What stands on topics, and how far the group is; outlives every process."""

    def __init__(self, network: Network, topics: Sequence[str]) -> None:
        self.network = network
        self.partitions: dict[TopicPartition, list[RawRecord]] = {
            TopicPartition(topic, number): [] for topic in topics for number in range(PARTITIONS)
        }
        self.committed: dict[TopicPartition, int] = {}
        self.members: dict[str, Member] = {}
        self.generation = 0
        self._wanted = False
        self._rebalancing: asyncio.Task[None] | None = None

    @property
    def records(self) -> list[RawRecord]:
        return [record for records in self.partitions.values() for record in records]

    @property
    def ends(self) -> dict[TopicPartition, int]:
        return {partition: len(records) for partition, records in self.partitions.items()}

    def append(self, topic: str, value: bytes | None, key: bytes, headers: Sequence[tuple[str, bytes | None]]) -> Told:
        """Put a record where its key belongs."""
        partition = TopicPartition(topic, zlib.crc32(key) % PARTITIONS)
        records = self.partitions[partition]
        moment = int(self.network.now().timestamp() * 1000)
        record = RawRecord(topic, partition.partition, len(records), key, tuple(headers), value, moment)
        records.append(record)
        for member in self.members.values():
            member.wake.set()
        return Told(topic, partition.partition, record.offset)

    # The group.

    def join(self, member: "Member") -> None:
        """Take a member in; a former life of it is out at once."""
        self.members[member.instance] = member
        self.rebalance()

    def leave(self, member: "Member") -> None:
        if self.members.get(member.instance) is member:
            del self.members[member.instance]
            self.rebalance()

    def rebalance(self) -> None:
        """Give the partitions out anew, once everybody has given them back."""
        self._wanted = True
        if self._rebalancing is None or self._rebalancing.done():
            self._rebalancing = self.network.loop.create_task(self._rebalance())

    async def _rebalance(self) -> None:
        while self._wanted:
            self._wanted = False
            before = dict(self.members)
            await asyncio.gather(*(each.give_back() for each in before.values()))
            for instance, member in before.items():
                if member.assigned and self.members.get(instance) is member:
                    del self.members[instance]  # it did not answer for a session
                    self.network.note(f"{instance} is out of the group")
            self.generation += 1
            names = sorted(self.members)
            given: dict[str, set[TopicPartition]] = {name: set() for name in names}
            for index, partition in enumerate(sorted(self.partitions) if names else ()):
                given[names[(index + self.generation) % len(names)]].add(partition)
            for name in names:
                self.members[name].take(given[name], self.generation)

    async def watch(self) -> None:
        """Notice members that have not been heard of for a session."""
        silent: dict[Member, float] = {}
        while True:
            await asyncio.sleep(SESSION_SECONDS / 4)
            for instance, member in list(self.members.items()):
                if member.process.answers:
                    silent.pop(member, None)
                elif silent.setdefault(member, self.network.loop.time()) <= self.network.loop.time() - SESSION_SECONDS:
                    del self.members[instance]
                    self.network.note(f"{instance} is out of the group")
                    self.rebalance()

    def commit(self, member: "Member", generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        """Take offsets from a member of the present generation.

        Raises:
            CommitFailedError: it is no member any more, or the partitions went to others meanwhile.
        """
        if self.members.get(member.instance) is not member or generation != self.generation:
            raise CommitFailedError
        self.committed.update(offsets)
        self.network.note(
            f"{member.instance} committed {sorted((p.topic, p.partition, o) for p, o in offsets.items())}"
        )


@dataclass(eq=False)
class Member:
    """One life of a consumer in the group: the part of aiokafka's consumer that the core calls, and the poll loop."""

    instance: str
    process: Process
    broker: Broker
    on_batch: Callable[[list[RawRecord]], Any]
    listener: Any
    max_records: int = 8
    assigned: set[TopicPartition] = field(default_factory=set)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    shut: set[TopicPartition] = field(default_factory=set)
    generation: int = -1
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False

    async def give_back(self) -> None:
        """Let the listener finish what is in hand; within a session, else the group goes on without it."""
        if not self.process.answers:
            await asyncio.sleep(SESSION_SECONDS)
            if not self.process.answers:
                return
        given_back = asyncio.ensure_future(self.listener.on_partitions_revoked(set(self.assigned)))
        done, _ = await asyncio.wait({given_back}, timeout=SESSION_SECONDS)
        if done and self.process.answers:
            self.assigned = set()

    def take(self, partitions: set[TopicPartition], generation: int) -> None:
        self.assigned, self.generation = partitions, generation
        self.positions = {each: self.broker.committed.get(each, 0) for each in partitions}
        self.shut = set()
        self._assigned = asyncio.ensure_future(self.listener.on_partitions_assigned(partitions))
        self.wake.set()

    async def poll_for_ever(self) -> None:
        """Hand over one batch after the other."""
        while not self.stopped:
            self.wake.clear()
            records = self._next()
            if records:
                await self.on_batch(records)
            else:
                await self.wake.wait()
            await self.process.passing()

    async def beat_for_ever(self) -> None:
        """Notice that the group went on without this member, and join it again."""
        while not self.stopped:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self.process.passing()
            if self.broker.members.get(self.instance) is not self and not self.stopped:
                await self.listener.on_partitions_revoked(set(self.assigned))
                self.assigned = set()
                await self.join()

    async def join(self) -> None:
        await self.broker.network.call(self.process, "join", lambda: self.broker.join(self), KafkaConnectionError)

    def _next(self) -> list[RawRecord]:
        found: list[RawRecord] = []
        for partition in sorted(self.assigned - self.shut):
            position = self.positions[partition]
            some = self.broker.partitions[partition][position : position + self.max_records - len(found)]
            self.positions[partition] = position + len(some)
            found += some
        return found

    # aiokafka's.

    def assignment(self) -> set[TopicPartition]:
        return set(self.assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self.shut |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.shut -= set(partitions)
        self.wake.set()

    def paused(self) -> set[TopicPartition]:
        return set(self.shut)

    def highwater(self, partition: TopicPartition) -> int:
        return len(self.broker.partitions[partition])

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: len(self.broker.partitions[each]) for each in partitions}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if offsets.keys() - self.assigned:
            raise IllegalStateError(f"not assigned: {sorted(offsets.keys() - self.assigned)}")
        generation = self.generation
        await self.broker.network.call(
            self.process, "commit", lambda: self.broker.commit(self, generation, offsets), KafkaConnectionError
        )


class Producer:
    """One process's producer: an entry's acknowledgement may be lost though it stands on the topic."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker, self._process = broker, process

    async def start(self) -> None:
        await self._broker.network.call(self._process, "connect", lambda: None, KafkaConnectionError)

    async def stop(self) -> None: ...

    def send(self, topic: str, key: bytes, messages: Sequence[Message], heard: Heard, *, alone: bool = False) -> None:
        names = ", ".join(dict(headers).get("ce_id", b"").decode() for _, headers in messages)

        def append() -> None:
            for value, headers in messages:
                self._broker.append(topic, value, key, headers)

        sent = asyncio.ensure_future(
            self._broker.network.call(self._process, f"send {names}", append, KafkaConnectionError)
        )
        # Cut off with its process, it is heard by nobody.
        sent.add_done_callback(lambda told: None if told.cancelled() else heard(told.exception()))

    async def send_and_wait(
        self, topic: str, value: bytes | None, *, key: bytes, headers: Sequence[tuple[str, bytes | None]]
    ) -> Told:
        """The load's: again and again until it is acknowledged."""
        while True:
            try:
                return await self._broker.network.call(
                    self._process, "give", lambda: self._broker.append(topic, value, key, headers), KafkaConnectionError
                )
            except KafkaConnectionError:
                await asyncio.sleep(0.3)


class Progress:
    """How far the group is, as one process asks for it."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker, self._process = broker, process

    async def ends(self) -> Mapping[TopicPartition, int]:
        return await self._broker.network.call(
            self._process, "ask ends", lambda: self._broker.ends, KafkaConnectionError
        )

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        committed = await self._broker.network.call(
            self._process, "ask offsets", lambda: dict(self._broker.committed), KafkaConnectionError
        )
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())
