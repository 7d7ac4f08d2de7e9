"""A payment that names only a UCR reaches declarations through the UCR's account, despite redeliveries."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from services.declarations.tests.declaration_builders import (
    MESSAGES,
    NOW,
    TOTAL,
    UCR,
    a_declaration,
    a_report,
    answer,
    deliveries,
    in_lane,
    lodge,
)
from services.declarations.tests.declaration_fakes import MemoryPartnerEvents

from chassis.aggregates import Applied, Duplicate, Input
from chassis.delivery.records import Event as Received
from chassis.delivery.records import RawRecord
from chassis.delivery.subscriptions import AggregateHandler
from chassis.testing import ManualClock, in_memory
from contracts.declarations.v1 import EVENTS
from contracts.envelope import Envelope
from contracts.topics import DECLARATIONS
from declarations.aggregate import declaration_type
from declarations.domain.evolve import evolve
from declarations.domain.regions import MONEY, regions
from declarations.domain.settlement import evolve as evolve_account
from declarations.domain.settlement import settlement_id
from declarations.domain.state import Lane, State, Status
from declarations.early_events import Waiting
from declarations.handlers import PartnerEventHandler
from declarations.settlement_aggregate import SETTLEMENT, SettlementMessages
from declarations.settlements import ACCOUNT_EVENTS, ALLOCATED, AccountUpdates, PaymentHandler, share_of, take_share
from values.payments import payment_reference
from values.references import Lrn

ACCOUNT = settlement_id(UCR)


@dataclass
class House:
    """The payment handlers over in-memory stores, and the service's own topic."""

    read: int = 0
    order: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        clock = ManualClock()
        type_ = declaration_type(in_lane(Lane.GREEN))
        self.declarations, self.topic = in_memory(type_, topic=DECLARATIONS, clock=clock)
        self.settlements, _ = in_memory(SETTLEMENT, topic=DECLARATIONS, clock=clock, outbox=self.topic)
        events = MemoryPartnerEvents()
        self.reports = PartnerEventHandler(self.declarations, events, Waiting(events, clock))
        self.payments = PaymentHandler(self.reports, events, self.settlements)
        self.news = AccountUpdates(self.settlements, self.declarations)
        self.shares = AggregateHandler(self.declarations, targets=share_of, command=lambda event, _: take_share(event))

    async def assessed(self, lrn: str) -> str:
        """Bring a declaration of the shipment to its assessment; returns its id."""
        command = lodge(a_declaration(lrn=Lrn(lrn)), f"R-{lrn}")
        await self.declarations.apply_one(Input(command.declaration_id, f"R-{lrn}", command, "firm:x"))
        await self.declarations.apply_one(Input(command.declaration_id, f"P-{lrn}", answer(), "service:x"))
        for kind in ("shipment.arrived", "shipment.gate_in"):
            report = a_report(kind, f"{kind}-{lrn}")
            await self.reports.apply(deliveries(report, [command.declaration_id]))
        return str(command.declaration_id)

    async def bank(self, amount: str, id_: str, kind: str = "payment.confirmed", **fields: Any) -> None:
        money = {"amount": amount, "currency": fields.pop("currency", "CNY")}
        fields = {"payment_reference": "B-1", "publisher": "bank-qd", **fields}
        report = a_report(kind, id_, amount=money, **fields)
        (targets,) = await self.payments.targets([report])
        for outcome in await self.payments.apply(deliveries(report, targets)):
            assert isinstance(outcome, Applied | Duplicate), outcome

    async def settle(self, *, shuffled: bool = False) -> None:
        """Read the own topic to its end; with `shuffled`, in random order and everything twice."""
        while self.read < len(self.topic.published):
            entries = self.topic.published[self.read :]
            self.read += len(entries)
            if shuffled:
                entries = [*entries, *entries]
                self.order.shuffle(entries)
            for entry in entries:
                await self.hear(entry)

    async def hear(self, entry: Any) -> None:
        handler = self.news if entry["type"] in ACCOUNT_EVENTS else self.shares if entry["type"] == ALLOCATED else None
        if handler is None:
            return
        event = heard(entry)
        (targets,) = await handler.targets([event])
        for outcome in await handler.apply(deliveries(event, targets)):
            assert isinstance(outcome, Applied | Duplicate), outcome

    async def paid(self, ids: Sequence[str]) -> list[str]:
        found = [regions(await self.state(id_))[MONEY].paid for id_ in ids]
        return [str(each.amount) for each in found if each is not None]

    async def state(self, id_: str) -> State:
        state = await self.declarations.get(id_)
        assert state is not None
        return state


def heard(entry: Any) -> Received:
    """An event as read from the service's own topic."""
    id_, type_ = entry["id"], entry["type"]
    head = Envelope(id_, "/trade/declarations", type_, NOW, id_.partition("/")[0], entry["seq"], UCR, "c", "a")
    data = entry["data"].encode()
    record = RawRecord(DECLARATIONS.name, 0, 0, UCR.encode(), tuple(head.headers()), data, 0)
    return Received(head, EVENTS[entry["type"]].model_validate_json(data), record)


@pytest.mark.parametrize("early", [True, False])
async def test_one_payment_by_ucr_releases_one_declaration_of_two(early):
    house = House()
    if early:
        await house.bank(TOTAL, "p")
        await house.settle()
    ids = [await house.assessed("L-1"), await house.assessed("L-2")]
    if not early:
        await house.bank(TOTAL, "p")
    await house.settle()
    assert sorted([(await house.state(id_)).status for id_ in ids]) == [Status.ASSESSED, Status.RELEASED]
    assert sorted(await house.paid(ids)) == ["0", TOTAL]


async def test_two_payments_by_ucr_release_both_declarations():
    house = House()
    ids = [await house.assessed("L-1"), await house.assessed("L-2")]
    await house.bank("2600.00", "p")
    await house.settle()
    assert [(await house.state(id_)).status for id_ in ids] == [Status.RELEASED] * 2


async def test_a_short_payment_by_ucr_is_published_and_the_balance_releases():
    house = House()
    (id_,) = ids = [await house.assessed("L-1")]
    await house.bank("1000.00", "p")
    await house.settle()
    assert regions(await house.state(id_))[MONEY].status.value == "short"
    await house.bank("300.00", "q", payment_reference="B-2")
    await house.settle()
    assert await house.paid(ids) == ["1300.00"]
    assert (await house.state(id_)).status is Status.RELEASED


async def test_a_payment_by_reference_opens_no_account_and_pays_only_its_declaration():
    house = House()
    first, second = await house.assessed("L-1"), await house.assessed("L-2")
    await house.bank(TOTAL, "p", references={"payment_reference": payment_reference(second, 1)})
    await house.settle()
    assert [(await house.state(id_)).status for id_ in (first, second)] == [Status.ASSESSED, Status.RELEASED]
    assert await house.settlements.get(ACCOUNT) is None


async def test_a_reversal_by_ucr_reduces_allocations_and_named_payments():
    house = House()
    ids = [await house.assessed("L-1"), await house.assessed("L-2")]
    await house.bank(TOTAL, "p", references={"payment_reference": payment_reference(ids[1], 1)})
    await house.bank("300.00", "q", payment_reference="B-2")
    await house.settle()
    assert await house.paid(ids) == ["300.00", TOTAL]
    await house.bank("100.00", "r", "payment.reversed")
    await house.bank("50.00", "s", "payment.reversed", payment_reference="B-2")
    await house.settle()
    assert await house.paid(ids) == ["250.00", "1200.00"]
    assert [each.value for each in (await house.state(ids[1])).cases] == ["payment_reversed"]


async def test_a_payment_by_ucr_in_another_currency_is_noted_without_effect():
    house = House()
    await house.bank(TOTAL, "p", currency="USD")
    ids = [await house.assessed("L-1")]
    await house.settle()
    assert await house.paid(ids) == ["0"]
    account = await house.settlements.get(ACCOUNT)
    assert account is not None
    (report,) = account.reports
    assert (report.claim.without_effect, report.claim.effect_parameters) == (
        "payment_currency", {"owed": "CNY 1300.00", "paid": "USD"},
    )  # fmt: skip


async def test_an_earlier_share_than_the_current_one_is_ignored():
    house = House()
    (id_,) = ids = [await house.assessed("L-1")]
    await house.bank(TOTAL, "p")
    await house.settle()
    await house.bank("100.00", "r", "payment.reversed")
    await house.settle()
    assert await house.paid(ids) == ["1200.00"]
    first, last = [each for each in house.topic.published if each["type"] == ALLOCATED]
    await house.hear({**first, "id": f"{ACCOUNT}/1.1"})  # a late first copy has an id of its own
    assert await house.paid(ids) == ["1200.00"]
    assert (await house.state(id_)).shares[0].allocation == 2
    assert last["seq"] > first["seq"]


@pytest.mark.parametrize("seed", range(20))
async def test_redelivery_in_any_order_gives_the_same_payments(seed):
    house = House(order=random.Random(seed))
    await house.bank("900.00", "p")
    ids = [await house.assessed("L-1"), await house.assessed("L-2")]
    await house.settle(shuffled=True)
    await house.bank(
        "700.00", "q", payment_reference="B-2", references={"payment_reference": payment_reference(ids[1], 1)}
    )
    await house.bank("1000.00", "r", payment_reference="B-3")
    await house.bank("100.00", "s", "payment.reversed")
    await house.settle(shuffled=True)
    assert sum(Decimal(each) for each in await house.paid(ids)) == Decimal(900 + 700 + 1000 - 100)
    account, states = await house.settlements.get(ACCOUNT), [await house.state(id_) for id_ in ids]
    messages, folded, again = SettlementMessages(), None, dict.fromkeys(ids)
    for entry in house.topic.published:
        if ".settlement." in entry["type"]:
            folded = evolve_account(folded, messages.decode(entry["type"], entry["data"].encode()))
        else:
            id_ = entry["id"].partition("/")[0]
            again[id_] = evolve(again[id_], MESSAGES.decode(entry["type"], entry["data"].encode()))
    assert folded == account, "a lost account is rebuilt from the topic"
    assert [again[id_] for id_ in ids] == states
