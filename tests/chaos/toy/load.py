"""The toy's seeded input, recorded in the oracle before it is sent."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from aiokafka import AIOKafkaProducer
from chaos.harness.batches import send_batch
from chaos.toy.doors import PLACE, json_call
from chaos.toy.messages import BILL_PAID, ORDER_PLACED, ORDER_PLACED_BEFORE, BillPaid, OrderPlaced, OrderPlacedBefore
from chaos.toy.oracle import Oracle, Order, Payment, Way
from chaos.toy.stage import TESTER, Stage

from chassis.rpc import connect
from chassis.rpc.identity import TokenSigner
from contracts.envelope import Envelope
from contracts.values import Payload

AGAIN_SECONDS = 0.3
"""How long a client waits before a retry at the door."""


@dataclass
class Load:
    """Gives orders and payments to one stage, over Kafka and at the door."""

    stage: Stage
    oracle: Oracle
    producer: AIOKafkaProducer
    seed: int
    turned_away: Counter[str] = field(default_factory=Counter)
    """How often the door did not take an order, by what it said."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _made: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def order(self, way: Way = Way.KAFKA, **features: Any) -> Order:
        """The next order, of one of eight counters unless the features say otherwise."""
        self._made += 1
        number = str(self._made)
        counter = f"c{self._chance.randrange(8)}"
        given = {
            "counters": (counter,),
            "amount": self._chance.randrange(1, 100),
            "key": f"K{counter}",
            "traceparent": f"00-{self._chance.getrandbits(127) + 1:032x}-{self._chance.getrandbits(63) + 1:016x}-01",
            **features,
        }
        identity = f"order-{number}/0.1" if way is Way.KAFKA else f"command-{number}"
        return Order(id=identity, number=number, way=way, **given)

    def mixed(self, count: int) -> list[Order]:
        """Orders of every kind but billed ones and refused ones."""
        kinds: Sequence[Callable[[], dict[str, Any]]] = (
            dict,
            lambda: {"hops": 2},
            lambda: {"ask": True},
            lambda: {"send": True},
            lambda: {"counters": ("c1", "c2", "c3"), "key": "Kmany"},
            lambda: {"amount": 0},
            lambda: {"ask": True, "send": True, "hops": 1},
        )
        return [self.order(**kinds[number % len(kinds)]()) for number in range(count)]

    async def place(self, orders: Sequence[Order]) -> None:
        """Give orders over Kafka, each acknowledged before the next of its key, side by side across keys."""
        lanes: dict[str, list[Order]] = {}
        for each in orders:
            lanes.setdefault(each.key, []).append(each)

        async def lane(mine: Sequence[Order]) -> None:
            for each in mine:
                await self.place_one(each)

        await asyncio.gather(*(lane(mine) for mine in lanes.values()))

    async def place_one(self, order: Order, *, copies: int = 1, padding: int = 0) -> None:
        """Give one order over Kafka, so many times; with a field that nobody knows, so many bytes long."""
        self.oracle.orders[order.id] = order
        payload = OrderPlaced(
            number=order.number,
            counters=order.counters,
            amount=order.amount,
            key=order.key,
            hops=order.hops,
            ask=order.ask,
            send=order.send,
            pay_within=order.pay_within,
        )
        for _ in range(copies):
            await self._send(order.id, ORDER_PLACED, order.key, payload, order.traceparent, padding)

    async def place_before(self, order: Order) -> None:
        """Give one plain order over Kafka as the major version before told it."""
        self.oracle.orders[order.id] = order
        payload = OrderPlacedBefore(number=order.number, counter=order.counters[0], quantity=order.amount)
        await self._send(order.id, ORDER_PLACED_BEFORE, order.key, payload, order.traceparent)

    async def pay(self, order: Order, *, counter: str = "", at: datetime | None = None) -> None:
        """Pay over Kafka what an order billed; by default now."""
        where = counter or order.counters[0]
        moment = at or self.now()
        payment = Payment(
            f"payment-{order.number}-{where}/0.1", order.number, where, moment, order.key, order.traceparent
        )
        self.oracle.payments[payment.id] = payment
        payload = BillPaid(number=payment.number, counter=where, at=moment, key=order.key)
        await self._send(payment.id, BILL_PAID, order.key, payload, order.traceparent)

    async def send_raw(self, value: bytes | None, headers: Sequence[tuple[str, bytes | None]], key: str) -> None:
        """Give a record that nobody can read."""
        told = await self.producer.send_and_wait(self.stage.orders.name, value, key=key.encode(), headers=headers)
        self.oracle.poison.add(f"{told.topic}/{told.partition}/{told.offset}")

    async def knock(self, orders: Sequence[Order], address: str, *, within: timedelta = timedelta(seconds=60)) -> None:
        """Give orders at the door, each again under its own id until it is acknowledged or refused for good.

        Raises:
            TimeoutError: the door did not take them within the time.
        """
        signer = TokenSigner(self.stage.keys, TESTER)
        async with asyncio.timeout(within.total_seconds()), connect(address, signer, self.stage.name) as channel:
            call = json_call(channel, PLACE)
            await asyncio.gather(*(self._knock_until_answered(each, call) for each in orders))

    async def send_batch(self, batch: bytes, key: str) -> None:
        """Give a batch of one record that nobody can read, as it is."""
        partition, offset = await send_batch(self.stage.servers.kafka, self.stage.orders.name, key.encode(), batch)
        self.oracle.poison.add(f"{self.stage.orders.name}/{partition}/{offset}")

    async def _knock_until_answered(self, order: Order, call: Callable[[Any], Awaitable[Any]]) -> None:
        self.oracle.orders[order.id] = order
        asked = {"counter": order.counters[0], "number": order.number, "amount": order.amount, "key": order.key}
        while order.id not in self.oracle.acknowledged:
            try:
                await call({"command_id": order.id, "order": asked})
            except grpc.aio.AioRpcError as error:
                if error.code() in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS}:
                    self.oracle.refused.add(order.id)
                    return
                self.turned_away[error.details() or ""] += 1
                await asyncio.sleep(AGAIN_SECONDS)  # a client's pause between two attempts
            else:
                self.oracle.acknowledged.add(order.id)

    async def _send(self, id_: str, kind: str, key: str, payload: Payload, traceparent: str, padding: int = 0) -> None:
        subject, _, sequence = id_.rpartition("/0.")
        envelope = Envelope(
            id=id_,
            source="/trade/tests",
            type=kind,
            time=self.now(),
            subject=subject,
            sequence=int(sequence),
            partitionkey=key,
            causationid="test",
            actor="service:tests",
            trace={"traceparent": traceparent} if traceparent else {},
        )
        data = payload.model_dump_json().encode()
        if padding:
            data = data[:-1] + b',"padding":"' + b"x" * padding + b'"}'
        await self.producer.send_and_wait(self.stage.orders.name, data, key=key.encode(), headers=envelope.headers())
        self.oracle.acknowledged.add(id_)
        self.oracle.acknowledged_at.setdefault(id_, self.now())


@asynccontextmanager
async def load_on(stage: Stage, oracle: Oracle, seed: int) -> AsyncIterator[Load]:
    """A load with its producer started."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.servers.kafka, acks="all", enable_idempotence=True, max_request_size=1_048_576
    )
    await producer.start()
    try:
        yield Load(stage, oracle, producer, seed)
    finally:
        with contextlib.suppress(Exception):  # a killed broker must not keep a test from ending
            await asyncio.wait_for(producer.stop(), 10)


class Sink:
    """The outside world: receives letters, and records each before it answers."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._server: asyncio.Server | None = None
        self.address = ""
        self.silent = False
        """Receives letters and never answers."""

    async def __aenter__(self) -> "Sink":
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            line = await reader.readline()
            if line.endswith(b"\n"):
                self._oracle.letters.append((line.decode().strip(), datetime.now(UTC)))
                if not self.silent:
                    writer.write(b"OK\n")
                    await writer.drain()
            writer.close()
