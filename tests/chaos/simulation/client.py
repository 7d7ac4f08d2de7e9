"""Those who use the simulated toy: they order, pay, knock at its doors, and clear what was parked."""

import asyncio
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
from chaos.simulation.broker import Producer
from chaos.simulation.replica import GROUP, ORDERS, Replica
from chaos.simulation.schedule import Process
from chaos.toy.load import Load
from chaos.toy.oracle import Order, Way
from chaos.toy.stage import TESTER

from chassis.failures import is_infrastructure
from chassis.rpc import RpcError
from chassis.rpc.context import Call, handling
from chassis.rpc.identity import Caller

if TYPE_CHECKING:
    from chaos.simulation.scenario import Scenario

AGAIN_SECONDS = 0.3
ANSWERS_WITHIN_SECONDS = 5.0
HANGS_SECONDS = 15.0
UNREADABLE = {"undecodable", "unknown_version", "schema"}


class Client:
    """The world around one toy."""

    def __init__(self, scenario: "Scenario", seed: int) -> None:
        self._scenario = scenario
        self._chance = random.Random(f"client {seed}")
        network = scenario.network
        producer: Any = Producer(scenario.around.broker, Process("client", network, mortal=False))
        stage: Any = SimpleNamespace(orders=SimpleNamespace(name=ORDERS), name=GROUP)
        self._asked: list[asyncio.Task[None]] = []
        self.load = Load(stage, scenario.oracle, producer, seed, now=network.now)

    async def tell_everything(self, *, doors: bool) -> None:
        """Everything that a toy can be told, in an order of the seed's."""
        load, chance = self.load, self._chance
        mixed = load.mixed(chance.randint(6, 14))
        refused = load.order(counters=("c9",), amount=-5, key="Kc9")
        behind = [load.order(counters=("c9",), key="Kc9", hops=chance.randint(0, 1)) for _ in range(3)]
        neighbours = [load.order(counters=("c8",), key="Kc9") for _ in range(2)]
        steps = [load.place([*mixed, refused, *behind[:1], *neighbours, *behind[1:]]), self._bills()]
        steps += [self._twice(load.order(counters=("c7",), key="Kc7", send=True))]
        steps += [self._disorderly([load.order(counters=("c6",), key="Kc6") for _ in range(4)])]
        if chance.random() < 0.5:
            steps.append(self._unreadable())
        if doors:
            steps += [self._knock(load.order(Way.DOOR, counters=(f"d{number % 2}",))) for number in range(4)]
            steps.append(self._knock(load.order(Way.DOOR, counters=("d0",), amount=-1)))
        await asyncio.gather(*(self._later(step) for step in steps))

    async def tell_more(self) -> None:
        """What comes while staff redrive: it queues behind what is parked."""
        for counter in ("c9", "c9", "c9", "c8", "c9", "c9", "c9", "c9"):
            await self.load.place([self.load.order(counters=(counter,), key="Kc9")])
            await asyncio.sleep(self._chance.uniform(0.0, 0.4))

    async def _later(self, step: Any) -> None:
        await asyncio.sleep(self._chance.uniform(0.0, 4.0))
        await step

    async def _bills(self) -> None:
        """Bills paid early, in time, late, never; and one whose payment stands behind what is refused."""
        load, chance = self.load, self._chance
        early, paid, unpaid = (load.order(pay_within=chance.randint(1, longest)) for longest in (6, 6, 20))
        late = load.order(pay_within=1)
        held = load.order(counters=("c9",), key="Kc9", pay_within=3)
        await load.pay(early)
        await load.place([early, paid, unpaid, late, held])
        await load.pay(paid)
        await load.pay(held)
        await asyncio.sleep(4.0)
        await load.pay(late)

    async def _twice(self, order: Order) -> None:
        await self.load.place_one(order, copies=2)
        await asyncio.sleep(self._chance.uniform(0.0, 6.0))
        await self.load.place_one(order)

    async def _disorderly(self, orders: list[Order]) -> None:
        """First copies in another order than they were made."""
        self._chance.shuffle(orders)
        await asyncio.gather(*(self.load.place_one(each) for each in orders))

    async def _unreadable(self) -> None:
        await self.load.send_raw(b"{", [("ce_id", b"\xff")], "Kunreadable")
        await self.load.place([self.load.order(counters=("c5",), key="Kunreadable") for _ in range(2)])

    async def _knock(self, order: Order) -> None:
        """Give an order at the door, again under its own id until it is answered; some give up after one attempt."""
        oracle = self._scenario.oracle
        oracle.orders[order.id] = order
        patient = self._chance.random() < 0.8
        while True:
            if live := self._scenario.live:
                asked = asyncio.ensure_future(self._place(self._chance.choice(live), order))
                self._asked.append(asked)
                done, _ = await asyncio.wait({asked}, timeout=ANSWERS_WITHIN_SECONDS)
                error = asked.exception() if done else TimeoutError()
                if error is None:
                    oracle.acknowledged.add(order.id)
                    return
                if isinstance(error, RpcError) and error.code is grpc.StatusCode.FAILED_PRECONDITION:
                    oracle.refused.add(order.id)
                    return
                if not patient:
                    return
            await asyncio.sleep(AGAIN_SECONDS)

    async def until_answered(self) -> None:
        """Wait for whatever still hangs at a door that was frozen: a mended build might answer it otherwise."""
        if self._asked:
            await asyncio.wait(self._asked, timeout=HANGS_SECONDS)

    async def _place(self, replica: Replica, order: Order) -> None:
        given = {"counter": order.counters[0], "number": order.number, "amount": order.amount, "key": order.key}
        place = await replica.admission.enter(publishes=True)
        try:
            with handling(Call(GROUP, Caller(TESTER, TESTER), float("inf"))):
                await replica.door.place({"command_id": order.id, "order": given}, None)
        finally:
            place.leave()

    async def clear_parked(self) -> None:
        """Discard what nobody can read, redrive the rest, at whichever replica is there, as often as it takes."""
        parked = self._scenario.around.server.of("parked")
        for _ in range(60):
            if not parked:
                return
            if live := self._scenario.live:
                policy = self._chance.choice(live).policy
                first = min(parked.values(), key=lambda each: (each["topic"], each["partition"], each["offset"]))
                if first["reason"] in UNREADABLE:
                    step: Any = policy.discard(first["_id"], actor="staff:lin", reason="nobody can read it")
                else:
                    step = policy.redrive(first["target"], actor="staff:lin", reason="mended")
                doing = asyncio.ensure_future(step)
                done, _ = await asyncio.wait({doing}, timeout=ANSWERS_WITHIN_SECONDS)
                if done and (error := doing.exception()) is not None and not is_infrastructure(error):
                    raise error
            await asyncio.sleep(AGAIN_SECONDS)
