"""Support for tests of matching: builders, a fake registry that can be unreachable, and a bench.

The bench runs the service's handlers under the chassis' delivery policy; it replaces Kafka, gRPC and,
unless it is given a real one, the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chassis.aggregates import Documents, Input, MemoryDocuments, OutboxEntry
from chassis.clock import ManualClock
from chassis.delivery import DeliveryPolicy, RawRecord
from chassis.failures import InfrastructureError
from chassis.parking import MemoryParking
from chassis.testing import RecordingOutbox, in_memory
from chassis.waiting import PendingWork
from contracts.envelope import Envelope
from contracts.gateway.v1 import MandateSubmitted, ProjectSubmitted
from contracts.topics import GATEWAY, MATCHING, REGISTRY
from contracts.values import Identifier, Payload
from matching.app import subscriptions
from matching.domain.listing import ExpireListing, Listing, Standing, Status
from matching.domain.match import Match
from matching.domain.terms import Firm, MandateTerms, Money, ProjectTerms, Terms, offered_facets
from matching.handlers import AskStandings
from matching.messages import listing_id
from matching.messages.terms import mandate_payload, project_payload
from matching.reference_data import load_reference
from matching.registry_client import Answer
from matching.store import LISTING, match_type
from values.numbers import read_decimal

SPONSOR = Firm("KZ-BIN", "190540000014")
INVESTOR = Firm("CN-USCC", "91370211MA3TRADE0P")
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def yuan(amount: int | str) -> Money:
    return Money(read_decimal(str(amount)), "CNY")


def a_project(**overrides: Any) -> ProjectTerms:
    terms = ProjectTerms(
        title="Солнечная электростанция в Алматинской области",
        country="KZ",
        sector="3510",
        stage="construction",
        sought=Money(Decimal("1000000000"), "KZT"),
        instruments=("equity", "joint_venture"),
        stake_percent=Decimal("30"),
        expected_return_percent=Decimal("12.5"),
        languages=("ru", "en"),
    )
    return replace(terms, **overrides)


def a_mandate(**overrides: Any) -> MandateTerms:
    terms = MandateTerms(
        title="中亚光伏项目投资",
        ticket_min=yuan(5_000_000),
        ticket_max=yuan(50_000_000),
        sectors=("D", "42"),
        countries=("KZ", "UZ"),
        instruments=("equity", "debt"),
        excluded_sectors=("12",),
        excluded_countries=("IR",),
        stake_min_percent=Decimal("10"),
        stake_max_percent=Decimal("49"),
        return_floor_percent=Decimal("8"),
        stages=("construction", "operating"),
        languages=("zh", "en"),
    )
    return replace(terms, **overrides)


def a_listing(terms: Terms, *, firm: Firm | None = None, reference: str = "R-1", **overrides: Any) -> Listing:
    """An open listing."""
    firm = firm or (SPONSOR if isinstance(terms, ProjectTerms) else INVESTOR)
    listing = Listing(
        id=listing_id(firm, terms.kind, reference),
        firm=firm,
        reference=reference,
        terms=terms,
        status=Status.OPEN,
        enterprise_id=str(firm),
        check=1,
        asked_at=NOW,
        change=2,
        facets=offered_facets(terms),
    )
    return replace(listing, **overrides)


@dataclass
class FakeRegistry:
    """Knows every firm and answers that it may act, unless configured otherwise."""

    standing: dict[Firm, Answer] = field(default_factory=dict)
    away: bool = False
    asked: list[Sequence[Firm]] = field(default_factory=list)

    async def standings(self, firms: Sequence[Firm]) -> Sequence[Answer]:
        self.asked.append(firms)
        if self.away:
            raise InfrastructureError("the registry is away")
        return [self.standing.get(firm, Answer(Standing.MAY_ACT, str(firm))) for firm in firms]


class Bench:
    """Matching between its topics."""

    def __init__(self, stores: Mapping[str, Documents] | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.outbox = RecordingOutbox()
        self.registry = FakeRegistry()
        self.parking = MemoryParking(self.clock)
        stores = stores or {"listings": MemoryDocuments(), "matches": MemoryDocuments()}
        reference = load_reference()
        self.listings, _ = in_memory(
            LISTING, topic=MATCHING, clock=self.clock, documents=stores["listings"], outbox=self.outbox
        )
        self.matches, _ = in_memory(
            match_type(reference), topic=MATCHING, clock=self.clock, documents=stores["matches"], outbox=self.outbox
        )
        self.policy = DeliveryPolicy(
            subscriptions(self.listings, self.matches, reference, self.clock), self.parking, self.clock, build="test"
        )
        self._asking = PendingWork(
            self.listings,
            AskStandings(self.registry),
            parking=self.parking,
            park_step=self.policy.park_step,
            clock=self.clock,
        )
        self._delivered = 0
        self._offset = 0

    async def submit(
        self, terms: Terms, *, firm: Firm | None = None, reference: str = "R-1", receipt: str = "1"
    ) -> str:
        """A firm submits a listing through the gateway; returns the listing's id."""
        firm = firm or (SPONSOR if isinstance(terms, ProjectTerms) else INVESTOR)
        common = {"receipt_id": receipt, "received_at": NOW, "firm": Identifier(scheme=firm.scheme, value=firm.value)}
        payload: Payload
        if isinstance(terms, ProjectTerms):
            payload = ProjectSubmitted(**common, project=project_payload(reference, terms))
        else:
            payload = MandateSubmitted(**common, mandate=mandate_payload(reference, terms))
        type_ = f"trade.gateway.{terms.kind}.submitted.v1"
        await self.deliver(GATEWAY.name, type_, f"{receipt}/{firm}/{terms.kind}/{reference}/0.1", payload)
        return listing_id(firm, terms.kind, reference)

    async def tell(self, fact: str, payload: Payload, *, id_: str) -> None:
        """Deliver a registry event about an enterprise."""
        await self.deliver(REGISTRY.name, f"trade.registry.enterprise.{fact}.v1", id_, payload)

    async def deliver(self, topic: str, type_: str, id_: str, payload: Payload) -> None:
        await self.policy.process([self._record(topic, type_, id_, payload.model_dump_json().encode())])

    async def ask(self) -> None:
        """Run the pending registry queries once."""
        await self._asking.step()

    async def expire(self, id_: str) -> None:
        """Fire the expiry timer of a listing."""
        await self.listings.apply_one(Input(id_, f"{id_}/expiry", ExpireListing(), "timer:expiry"))

    async def read_own_topic(self) -> int:
        """Deliver the events published since the last call; returns their number."""
        fresh = self.outbox.published[self._delivered :]
        self._delivered += len(fresh)
        if fresh:
            await self.policy.process([self._own(entry) for entry in fresh])
        return len(fresh)

    def published_records(self) -> list[RawRecord]:
        """The topic's records of all published events."""
        return [self._own(entry) for entry in self.outbox.published]

    async def read_own_topic_again(self) -> None:
        """Simulate a rebalance: deliver all published events again."""
        await self.policy.process(self.published_records())

    async def settle(self) -> None:
        """Run registry queries and deliver own events until nothing is left to do."""
        while True:
            before = len(self.outbox.published)
            if not self.registry.away:
                await self.ask()
            if not await self.read_own_topic() and len(self.outbox.published) == before:
                return

    async def all_matches(self) -> list[Match]:
        return await self.matches.find({})

    def _own(self, entry: OutboxEntry) -> RawRecord:
        return self._record(MATCHING.name, entry["type"], entry["id"], entry["data"].encode(), entry["seq"])

    def _record(self, topic: str, type_: str, id_: str, data: bytes, sequence: int = 1) -> RawRecord:
        self._offset += 1
        envelope = Envelope(
            id=id_,
            source="/trade/test",
            type=type_,
            time=self.clock.now(),
            subject=id_.rsplit("/", 1)[0],
            sequence=sequence,
            partitionkey=id_,
            causationid="test",
            actor="service:test",
        )
        return RawRecord(topic, 0, self._offset, id_.encode(), tuple(envelope.headers()), data, 0)
