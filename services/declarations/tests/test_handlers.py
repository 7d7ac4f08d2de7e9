"""Submissions, partner events and the look-up, over in-memory stores and over MongoDB."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from services.declarations.tests.declaration_builders import (
    MESSAGES,
    NOW,
    QINGDAO,
    TOTAL,
    UCR,
    a_declaration,
    a_report,
    deliveries,
    lodge,
)

from chassis.aggregates import Applied, Duplicate, Input
from chassis.failures import InfrastructureError
from chassis.parking.model import ParkedDelivery, Position
from chassis.testing import in_memory
from contracts.topics import DECLARATIONS
from declarations.domain import number
from declarations.domain.commands import NoteClaim, Standing
from declarations.domain.declaration import Direction, Party
from declarations.domain.evolve import evolve
from declarations.domain.state import Status
from declarations.early_events import Joiner, Sweeper, Waiting
from declarations.handlers import LookUp, PartnerEventHandler, restore_serials
from declarations.ports import SerialRequest
from values.payments import payment_reference
from values.references import Lrn, declaration_id

ID = declaration_id(QINGDAO, Lrn("QD-2026-0001"))


@dataclass
class FakeRegistry:
    away: bool = False
    asked: list[Party] = field(default_factory=list)

    async def standings(self, parties: Sequence[Party]) -> Mapping[Party, Standing]:
        if self.away:
            raise InfrastructureError("registry is away")
        self.asked += parties
        return dict.fromkeys(parties, Standing.MAY_ACT)


class Office:
    """The service's handlers over the given stores."""

    def __init__(self, stores, joined=None):
        self.stores = stores
        self.declarations = stores.declarations
        self.joined = stores.declarations if joined is None else joined
        self.registry = FakeRegistry()
        waiting = Waiting(stores.events, stores.clock)
        self.reports = PartnerEventHandler(stores.declarations, stores.events, waiting)
        joiner = Joiner(self.joined, stores.events, waiting, stores.parking)
        self.look_up = LookUp(joiner, self.registry, stores.serials)
        self.sweeper = Sweeper(stores.declarations, stores.events, waiting, joiner, stores.clock)

    async def lodge(self, declaration=None, receipt="R-1"):
        command = lodge(declaration, receipt)
        return await self.declarations.apply_one(Input(command.declaration_id, receipt, command, "firm:x"))

    async def pending(self):
        """Run the pending work once."""
        waiting = await self.declarations.find({"state.status": "submitted"}, sort=[("_id", 1)])
        answers = [each for each in await self.look_up(waiting) if each is not None]
        return await self.declarations.apply(answers)

    async def deliver(self, event):
        (targets,) = await self.reports.targets([event])
        return await self.reports.apply(deliveries(event, targets))

    async def state(self, id_=ID):
        return await self.declarations.get(id_)


OWED: dict[str, Any] = {
    "amount": {"amount": TOTAL, "currency": "CNY"},
    "payment_reference": "1",
    "references": {"payment_reference": payment_reference(ID, 1)},
}
"""A bank's report of the assessed amount that names only the payment reference."""


@pytest.fixture
def office(stores):
    return Office(stores)


async def test_a_shipment_completes_its_life_cycle_and_its_published_events_rebuild_it(office):
    await office.lodge()
    await office.pending()
    for report in (
        a_report("shipment.arrived", "a"),
        a_report("shipment.gate_in", "in"),
        a_report("payment.confirmed", "p", **OWED),
        a_report("shipment.gate_out", "out"),
    ):
        (outcome,) = await office.deliver(report)
        assert isinstance(outcome, Applied)
    state = await office.state()
    assert state.status is Status.CLOSED
    assert len(state.number) == 18
    rebuilt = None
    for entry in office.stores.outbox.published:
        rebuilt = evolve(rebuilt, MESSAGES.decode(entry["type"], entry["data"].encode()))
    assert rebuilt == state


async def test_an_unreachable_registry_delays_but_does_not_reject(office):
    await office.lodge()
    office.registry.away = True
    with pytest.raises(InfrastructureError):
        await office.pending()
    assert (await office.state()).status is Status.SUBMITTED
    assert (await office.state()).try_after is not None
    office.registry.away = False
    await office.pending()
    assert (await office.state()).status is Status.PRELODGED


async def test_an_early_partner_event_is_applied_to_its_declaration(office):
    early = a_report("shipment.arrived", "early")
    assert await office.deliver(early) == []
    assert [each.id for each in await office.stores.events.unmatched(after_id="", limit=10)] == ["P-early/0.1"]
    await office.lodge()
    await office.pending()
    assert (await office.state()).status is Status.ASSESSED
    assert await office.stores.events.unmatched(after_id="", limit=10) == []


async def unmatched(office):
    return [each.id for each in await office.stores.events.unmatched(after_id="", limit=10)]


async def test_an_early_event_that_a_declaration_refuses_waits_until_the_fault_is_fixed(stores):
    def refuse_claims(state, command, now):
        if isinstance(command, NoteClaim):
            raise TypeError("a bug")
        return stores.declarations.type.decide(state, command, now)

    broken, _ = in_memory(
        replace(stores.declarations.type, decide=refuse_claims),
        topic=DECLARATIONS,
        clock=stores.clock,
        documents=stores.documents,
    )
    office = Office(stores, joined=broken)
    await office.deliver(a_report("shipment.arrived", "early"))
    await office.lodge()
    await office.pending()
    assert await unmatched(office) == ["P-early/0.1"]
    await stores.clock.advance(seconds=5)
    await office.sweeper.sweep()
    assert await unmatched(office) == ["P-early/0.1"]
    mended = Office(stores)
    await stores.clock.advance(seconds=10)
    await mended.sweeper.sweep()
    assert (await mended.state()).status is Status.ASSESSED
    assert await unmatched(mended) == []


async def test_an_early_event_does_not_overtake_parked_input(office):
    await office.deliver(a_report("shipment.arrived", "early"))
    await office.lodge()
    first = ParkedDelivery(ID, Position("partners.events.v1", 0, 7), b"", (), b"", 0, "refused")
    await office.stores.parking.park([first])
    await office.stores.clock.advance(seconds=2)
    await office.sweeper.sweep()
    assert (await office.state()).claims == ()
    assert await unmatched(office) == ["P-early/0.1"]
    await office.stores.parking.remove(first.id, action="redriven", actor="", reason="", outcome="applied")
    await office.stores.parking.release(ID, await office.stores.parking.lock_version(ID))
    await office.stores.clock.advance(seconds=5)
    await office.sweeper.sweep()
    assert len((await office.state()).claims) == 1
    assert await unmatched(office) == []


async def test_an_event_waits_until_it_is_applied_to_each_declaration_of_its_shipment(office):
    """Applying an event to one declaration does not end its waiting for another whose input is parked."""
    await office.deliver(a_report("shipment.arrived", "early"))
    await office.lodge()
    first = ParkedDelivery(ID, Position("partners.events.v1", 0, 7), b"", (), b"", 0, "refused")
    await office.stores.parking.park([first])
    await office.lodge(a_declaration(lrn="QD-2026-0002"), "R-2")
    other = declaration_id(QINGDAO, Lrn("QD-2026-0002"))
    await office.look_up([await office.state(other)])
    assert len((await office.state(other)).claims) == 1
    assert await unmatched(office) == ["P-early/0.1"]


async def test_an_early_event_is_applied_while_the_registry_is_unreachable(office):
    await office.deliver(a_report("shipment.arrived", "early"))
    await office.lodge()
    office.registry.away = True
    with pytest.raises(InfrastructureError):
        await office.pending()
    assert len((await office.state()).claims) == 1


async def test_redelivery_applies_once_by_any_path(office):
    early = a_report("shipment.arrived", "early")
    await office.deliver(early)
    await office.lodge()
    await office.pending()
    (again,) = await office.deliver(early)
    assert isinstance(again, Duplicate)
    assert len((await office.state()).claims) == 1
    assert isinstance(await office.lodge(), Duplicate)


async def test_planned_and_estimated_events_are_stored_and_change_nothing(office):
    await office.lodge()
    await office.pending()
    for classifier in ("PLN", "EST"):
        assert await office.deliver(a_report("shipment.arrived", classifier, classifier=classifier)) == []
    assert (await office.state()).status is Status.PRELODGED
    assert await office.stores.events.unmatched(after_id="", limit=10) == []


async def test_a_planned_event_is_not_applied_to_a_later_declaration(office):
    await office.deliver(a_report("shipment.arrived", "plan", classifier="PLN"))
    await office.lodge()
    await office.pending()
    assert (await office.state()).status is Status.PRELODGED


async def test_declarations_that_share_a_ucr_each_get_the_delivery(office):
    await office.lodge()
    await office.lodge(a_declaration(lrn="QD-2026-0002"), "R-2")
    await office.pending()
    outcomes = await office.deliver(a_report("shipment.arrived", "a"))
    assert [outcome.state.status for outcome in outcomes] == [Status.ASSESSED, Status.ASSESSED]
    await office.lodge(a_declaration(lrn="QD-2026-0003"), "R-3")
    await office.pending()
    late = declaration_id(QINGDAO, Lrn("QD-2026-0003"))
    assert (await office.state(late)).status is Status.ASSESSED


@pytest.mark.parametrize(
    "references",
    [
        {"transport_document": "BL-1", "container": "CSQU3054383"},
        {"transport_document": "BL-1"},
        {"ucr": UCR, "transport_document": "BL-other"},
    ],
)
async def test_an_event_is_matched_by_its_references(office, references):
    await office.lodge()
    await office.pending()
    assert len(await office.deliver(a_report("shipment.arrived", "a", references=references))) == 1


async def test_an_event_with_a_number_not_yet_known_is_applied_by_the_sweeper(office):
    request = SerialRequest(ID, "4258", Direction.IMPORT)
    (serial,) = await office.stores.serials.reserve([request])
    number_ = number.compose("4258", 2026, Direction.IMPORT, serial)
    hold = a_report("hold.placed", "h", references={"declaration_number": number_}, hold="permit")
    await office.deliver(hold)
    await office.lodge()
    await office.pending()
    await office.deliver(a_report("shipment.arrived", "a"))
    assert len((await office.state()).claims) == 1
    await office.stores.clock.advance(seconds=2)
    await office.sweeper.sweep()
    assert len((await office.state()).claims) == 2
    assert await office.stores.events.unmatched(after_id="", limit=10) == []


async def test_an_event_that_never_matches_is_retried_at_growing_intervals(office):
    await office.deliver(a_report("shipment.arrived", "lost"))
    for seconds in (1, 2, 4):
        assert await office.stores.events.due(office.stores.clock.now(), 10) == []
        await office.stores.clock.advance(seconds=seconds)
        assert len(await office.stores.events.due(office.stores.clock.now(), 10)) == 1
        await office.sweeper.sweep()
    (waiting,) = await office.stores.events.unmatched(after_id="", limit=10)
    assert waiting.attempts == 4


@pytest.mark.parametrize("seed", range(4))
async def test_an_event_and_a_declaration_that_arrive_concurrently_always_find_each_other(office, seed):
    """Whichever of the two is saved first, the other one finds it."""
    event = a_report("shipment.arrived", "a")

    async def lodge_and_look_up():
        for _ in range(seed):
            await asyncio.sleep(0)
        await office.lodge()
        await office.pending()

    await asyncio.gather(office.deliver(event), lodge_and_look_up())
    assert len((await office.state()).claims) == 1


async def test_stored_events_are_listed_in_pages_by_id(office):
    for id_ in ("c", "a", "b"):
        await office.deliver(a_report("shipment.arrived", id_, references={"ucr": f"U-{id_}"}))
    first = await office.stores.events.unmatched(after_id="", limit=2)
    rest = await office.stores.events.unmatched(after_id=first[-1].id, limit=2)
    assert [each.id for each in (*first, *rest)] == ["P-a/0.1", "P-b/0.1", "P-c/0.1"]
    assert first[0].occurred_at == NOW
    assert first[0].references.ucr == "U-a"


def two_of_one_serial():
    """Ids of two declarations that derive the same first candidate."""
    seen: dict[str, str] = {}
    for n in range(1_000_000):
        serial = number.candidate(f"D-{n}", 0)
        if serial in seen:
            return seen[serial], f"D-{n}"
        seen[serial] = f"D-{n}"
    raise AssertionError("no two ids share a serial")


@pytest.mark.parametrize("together", [True, False])
async def test_a_serial_is_reserved_once_and_a_taken_one_is_skipped(office, together):
    requests = [SerialRequest(id_, "4258", Direction.IMPORT) for id_ in two_of_one_serial()]
    serials = office.stores.serials
    if together:
        reserved = await serials.reserve(requests)
    else:
        reserved = [*await serials.reserve(requests[:1]), *await serials.reserve(requests[1:])]
    assert len(set(reserved)) == 2
    assert await serials.reserve(requests) == reserved
    elsewhere = [SerialRequest(requests[1].declaration_id, "4258", Direction.EXPORT)]
    assert await serials.reserve(elsewhere) == [number.candidate(requests[1].declaration_id, 0)]


async def test_serials_are_reserved_again_after_a_rebuild(office):
    await office.lodge()
    await office.pending()
    before = (await office.state()).serial
    await restore_serials(office.declarations, office.stores.serials)
    assert await office.stores.serials.reserve([SerialRequest(ID, "4258", Direction.IMPORT)]) == [before]


async def test_the_deadline_is_stored_until_it_passes_or_the_goods_are_released(office):
    await office.lodge()
    await office.pending()
    await office.deliver(a_report("shipment.arrived", "a"))
    stored = (await office.stores.documents.load([ID]))[ID]
    assert stored["due_at"] == (await office.state()).assessment.pay_by
    assert stored["due_at"] > office.stores.clock.now() + timedelta(days=14)
    await office.deliver(a_report("shipment.gate_in", "in"))
    await office.deliver(a_report("payment.confirmed", "p", **OWED))
    assert "due_at" not in (await office.stores.documents.load([ID]))[ID]
