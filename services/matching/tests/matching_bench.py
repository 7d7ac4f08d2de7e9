"""A fake registry that can be unreachable, and a bench that runs matching without Kafka.

The bench runs the service's handlers under the chassis' delivery policy; it replaces Kafka, gRPC and,
unless it is given a real one, the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.matching.tests.matching_builders import INVESTOR, NOW, SPONSOR

from chassis.aggregates import Documents, Input, OutboxEntry
from chassis.delivery import DeliveryPolicy, RawRecord
from chassis.failures import InfrastructureError
from chassis.testing import ManualClock, MemoryDocuments, MemoryParking, RecordingOutbox, in_memory
from chassis.waiting import PendingWork
from contracts.envelope import Envelope
from contracts.gateway.v1 import MandateSubmitted, ProjectSubmitted
from contracts.topics import GATEWAY, MATCHING, REGISTRY
from contracts.values import Identifier, Payload
from matching.app import subscriptions
from matching.domain.listing import ExpireListing, Standing
from matching.domain.match import Match
from matching.domain.terms import Firm, ProjectTerms, Terms
from matching.handlers import AskStandings
from matching.messages import listing_id
from matching.messages.terms import mandate_payload, project_payload
from matching.reference_data import load_reference
from matching.registry_client import Answer
from matching.store import LISTING, match_type


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
    """Matching with in-memory topics."""

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
