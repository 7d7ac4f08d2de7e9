"""From submission to match and withdrawal, through the service's handlers and the chassis' delivery policy.

The same tests run over the in-memory store and over MongoDB.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from services.matching.tests.matching_bench import Bench
from services.matching.tests.matching_builders import INVESTOR, NOW, SPONSOR, a_mandate, a_project

from chassis import mongo
from chassis.aggregates import Aggregates, Input, MongoDocuments
from chassis.recovery.rebuild import Rebuild
from chassis.settings import MongoSettings
from contracts.matching import v1
from contracts.registry.v1 import EnterpriseRegistered, EnterpriseReinstated, EnterpriseSuspended
from contracts.values import Identifier
from launcher.infrastructure import Infrastructure
from matching import store
from matching.domain.listing import Closed, Standing
from matching.domain.listing import Status as ListingStatus
from matching.domain.match import JudgePair, Status, listing_ids, match_id
from matching.reference_data import load_reference
from matching.registry_client import Answer
from matching.store import LISTING, match_type

FOUND = "trade.matching.match.found.v1"
CHANGED = "trade.matching.match.changed.v1"
WITHDRAWN = "trade.matching.match.withdrawn.v1"

SUSPENDED = EnterpriseSuspended(enterprise_id=str(SPONSOR), reason="breach")
REINSTATED = EnterpriseReinstated(enterprise_id=str(SPONSOR), reason="cleared")
REGISTERED = EnterpriseRegistered(
    enterprise_id=str(SPONSOR),
    country="KZ",
    identifiers=(Identifier(scheme=SPONSOR.scheme, value=SPONSOR.value),),
    roles=(),
)


def of_matches(bench: Bench) -> list[str]:
    return [type_ for type_ in bench.outbox.types() if ".match." in type_]


async def matched(bench: Bench) -> tuple[str, str]:
    """Submit a project and a mandate that fit; returns the ids of the listings."""
    project = await bench.submit(a_project())
    mandate = await bench.submit(a_mandate())
    await bench.settle()
    assert of_matches(bench) == [FOUND]
    return project, mandate


class Suite:
    """Tests that hold for every store."""

    async def test_a_project_and_a_mandate_that_fit_are_found_once(self, bench: Bench) -> None:
        project, mandate = await matched(bench)
        (match,) = await bench.all_matches()
        assert (match.project.listing_id, match.mandate.listing_id) == (project, mandate) == listing_ids(match.id)
        assert (match.project.firm, match.mandate.firm) == (SPONSOR, INVESTOR)
        assert (match.status, match.round, match.score) == (Status.FOUND, 1, 100)
        assert match.firms == tuple(sorted((str(SPONSOR), str(INVESTOR))))

    async def test_redelivery_applies_once(self, bench: Bench) -> None:
        await matched(bench)
        before = list(bench.outbox.types())
        await bench.submit(a_project())
        await bench.submit(a_mandate())
        await bench.read_own_topic_again()
        await bench.settle()
        assert bench.outbox.types() == before
        assert await bench.parking.counts() == (0, 0)

    async def test_a_pair_that_does_not_fit_leaves_no_document(self, bench: Bench) -> None:
        await bench.submit(a_project(sector="1200"))
        await bench.submit(a_mandate())
        await bench.settle()
        assert await bench.all_matches() == []
        assert await bench.matches.documents.find({}) == []

    async def test_registry_away_delays_but_does_not_refuse(self, bench: Bench) -> None:
        bench.registry.away = True
        project = await bench.submit(a_project())
        await bench.submit(a_mandate())
        await bench.settle()
        with pytest.raises(Exception, match="away"):
            await bench.ask()
        listing = await bench.listings.get(project)
        assert listing is not None
        assert listing.status is ListingStatus.WAITING
        assert of_matches(bench) == []
        bench.registry.away = False
        await bench.settle()
        assert of_matches(bench) == [FOUND]

    async def test_the_registry_is_asked_once_for_many_listings_of_a_firm(self, bench: Bench) -> None:
        for number in range(3):
            await bench.submit(a_project(), reference=f"R-{number}", receipt=str(number))
        await bench.settle()
        assert bench.registry.asked == [[SPONSOR]]

    async def test_a_suspension_withdraws_the_matches_of_that_firm_and_a_reinstatement_finds_them_again(
        self, bench: Bench
    ) -> None:
        await matched(bench)
        await bench.submit(a_project(), firm=INVESTOR, reference="R-3", receipt="3")
        await bench.tell("suspended", SUSPENDED, id_="e/0.2")
        await bench.settle()
        assert of_matches(bench) == [FOUND, WITHDRAWN]
        (match,) = await bench.all_matches()
        assert (match.status, match.withdrawn_for) == (Status.WITHDRAWN, "party_suspended")
        await bench.tell("reinstated", REINSTATED, id_="e/0.3")
        await bench.settle()
        assert of_matches(bench) == [FOUND, WITHDRAWN, FOUND]
        (match,) = await bench.all_matches()
        assert (match.status, match.round) == (Status.FOUND, 2)

    async def test_a_suspension_between_question_and_answer_is_not_lost(self, bench: Bench) -> None:
        listing_id = await bench.submit(a_project())
        listing = await bench.listings.get(listing_id)
        assert listing is not None
        await bench.tell("suspended", SUSPENDED, id_="e/0.2")
        await bench.settle()
        listing = await bench.listings.get(listing_id)
        assert listing is not None
        assert listing.closed_for is Closed.SUSPENDED

    async def test_a_firm_known_by_a_second_number_is_found_by_its_enterprise(self, bench: Bench) -> None:
        bench.registry.standing[SPONSOR] = Answer(Standing.MAY_ACT, "LEI:254900OPPU84GM83MG36")
        await matched(bench)
        suspended = EnterpriseSuspended(enterprise_id="LEI:254900OPPU84GM83MG36", reason="breach")
        await bench.tell("suspended", suspended, id_="e/0.2")
        await bench.settle()
        assert of_matches(bench) == [FOUND, WITHDRAWN]

    async def test_a_firm_that_registers_later_opens_its_listing(self, bench: Bench) -> None:
        bench.registry.standing[SPONSOR] = Answer(Standing.UNKNOWN, "")
        await bench.submit(a_project())
        await bench.submit(a_mandate())
        await bench.settle()
        assert of_matches(bench) == []
        del bench.registry.standing[SPONSOR]
        await bench.tell("registered", REGISTERED, id_="e/0.1")
        await bench.settle()
        assert of_matches(bench) == [FOUND]

    async def test_changed_terms_change_or_end_the_match(self, bench: Bench) -> None:
        await matched(bench)
        await bench.submit(a_project(stake_percent=Decimal(80)), receipt="2")
        await bench.settle()
        assert of_matches(bench) == [FOUND, CHANGED]
        await bench.submit(a_mandate(countries=("UZ",)), receipt="3")
        await bench.settle()
        assert of_matches(bench) == [FOUND, CHANGED, WITHDRAWN]
        (match,) = await bench.all_matches()
        assert (match.withdrawn_for, match.withdrawn_parameters) == ("country", (("country", "KZ"),))
        await bench.submit(a_mandate(countries=()), receipt="4")
        await bench.settle()
        assert of_matches(bench)[-1] == FOUND

    async def test_changed_terms_with_the_same_verdict_publish_nothing(self, bench: Bench) -> None:
        await matched(bench)
        await bench.submit(a_project(region="Алматинская область"), receipt="2")
        await bench.settle()
        assert of_matches(bench) == [FOUND]

    async def test_an_expired_listing_ends_its_matches(self, bench: Bench) -> None:
        project = await bench.submit(a_project(expires_at=NOW + timedelta(days=30)))
        await bench.submit(a_mandate())
        await bench.settle()
        assert of_matches(bench) == [FOUND]
        await bench.clock.advance(days=31)
        (due,) = await bench.listings.documents.find({"due_at": {"$lte": bench.clock.now()}})
        assert due["_id"] == project
        await bench.expire(project)
        await bench.settle()
        assert of_matches(bench) == [FOUND, WITHDRAWN]

    async def test_a_match_judged_on_old_terms_is_judged_again(self, bench: Bench) -> None:
        """Two replicas: one judges the pair on terms that the other has just changed, and saves last."""
        project = await bench.submit(a_project())
        await bench.submit(a_mandate())
        await bench.ask()
        old = await bench.listings.get(project)
        await bench.submit(a_project(country="RU"), receipt="2")
        (mandate,) = await bench.listings.find({"state.terms.kind": "mandate"})
        assert old is not None
        await bench.settle()
        assert of_matches(bench) == []
        await judge_on(bench, old, mandate)
        assert of_matches(bench) == [FOUND]
        await bench.settle()
        assert of_matches(bench) == [FOUND, WITHDRAWN]

    async def test_only_candidates_are_judged(self, bench: Bench) -> None:
        project = await bench.submit(a_project())
        await bench.submit(a_mandate())
        for number, other in enumerate((a_mandate(countries=("UZ",)), a_mandate(instruments=("ppp",)))):
            await bench.submit(other, reference=f"M-{number}", receipt=f"m{number}")
        await bench.settle()
        one = await bench.listings.get(project)
        assert one is not None
        assert [each.reference for each in await store.candidates(bench.listings, one)] == ["R-1"]

    async def test_matches_of_a_firm_come_page_by_page(self, bench: Bench) -> None:
        for number in range(3):
            await bench.submit(a_project(), reference=f"R-{number}", receipt=str(number))
        await bench.submit(a_mandate())
        await bench.settle()
        first = await store.matches_of_firm(bench.matches, INVESTOR, after="", limit=2)
        second = await store.matches_of_firm(bench.matches, INVESTOR, after=first[-1].id, limit=2)
        assert [len(first), len(second)] == [2, 1]
        assert len({each.id for each in (*first, *second)}) == 3

    async def test_the_published_events_rebuild_the_state(self, bench: Bench) -> None:
        await matched(bench)
        await bench.submit(a_project(stake_percent=Decimal(80)), receipt="2")
        await bench.tell("suspended", SUSPENDED, id_="e/0.2")
        await bench.settle()
        stored: tuple[Aggregates[Any, Any, Any], ...] = (bench.listings, bench.matches)
        for aggregates in stored:
            for document in await aggregates.documents.find({}):
                state = None
                for entry in bench.outbox.published:
                    if entry["id"].rsplit("/", 1)[0] == document["_id"]:
                        event = aggregates.type.messages.decode(entry["type"], entry["data"].encode())
                        state = aggregates.type.evolve(state, event)
                        assert aggregates.type.messages.encode(event, state) == (entry["type"], entry["data"].encode())
                assert state == aggregates.type.codec.decode(document["state"])

    async def test_a_lost_database_is_rebuilt_from_the_topic(self, bench: Bench) -> None:
        await matched(bench)
        await bench.tell("suspended", SUSPENDED, id_="e/0.2")
        await bench.settle()
        fresh = Bench()
        rebuild = Rebuild([fresh.listings, fresh.matches])
        await rebuild.fold(bench.published_records())
        rebuild.finish()
        assert await fresh.all_matches() == await bench.all_matches()
        lost, found = await bench.listings.find({}), await fresh.listings.find({})
        assert sorted(found, key=lambda each: each.id) == sorted(lost, key=lambda each: each.id)

    async def test_published_events_validate_against_their_contracts(self, bench: Bench) -> None:
        await matched(bench)
        for entry in bench.outbox.published:
            assert v1.EVENTS[entry["type"]].model_validate_json(entry["data"])


async def judge_on(bench: Any, one: Any, other: Any) -> None:
    """Judge a pair that was read some time before."""
    await bench.matches.apply_one(Input(match_id(one, other), "old/0.1", JudgePair(one, other), "service:matching"))


class TestInMemory(Suite):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench()


class TestOnARealDatabase(Suite):
    @pytest.fixture
    async def bench(self, infrastructure: Infrastructure) -> AsyncIterator[Bench]:
        client = mongo.connect(MongoSettings(url=infrastructure.mongo_url))
        name = f"matching_{uuid.uuid4().hex}"
        database = mongo.open_database(client, name)
        stores = {}
        for type_ in (LISTING, match_type(load_reference())):
            stores[type_.collection] = MongoDocuments(database[type_.collection])
            await stores[type_.collection].create_indexes(type_)
        yield Bench(stores)
        await client.drop_database(name)
        await client.close()
