"""The service and its registry client over real gRPC: messages, rights, unreadable registry answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from services.matching.tests.matching_bench import Bench
from services.matching.tests.matching_builders import INVESTOR, SPONSOR, a_mandate, a_project

from chassis.rpc import GrpcServer, TokenSigner, TokenVerifier, connect, create_key, reason_of
from chassis.settings import DoorSettings
from matching.domain.listing import Standing
from matching.domain.terms import Firm
from matching.grpc_server import RIGHTS, MatchingServicer
from matching.registry_client import Answer, RegistryAnswerUnreadable, RegistryClient
from trade.matching.v1 import matching_pb2 as pb
from trade.matching.v1.matching_pb2_grpc import MatchingServiceStub, add_MatchingServiceServicer_to_server
from trade.registry.v1 import registry_pb2 as registry_pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceServicer, add_RegistryServiceServicer_to_server

ANYONE = {"/trade.registry.v1.RegistryService/CheckParties": RIGHTS["/trade.matching.v1.MatchingService/GetMatch"]}


async def serving(keys: Path, audience: str, register: Any, rights: Any) -> tuple[GrpcServer, str]:
    server = GrpcServer(DoorSettings(port=0), TokenVerifier(keys), audience=audience, rights=rights)
    server.register(register)
    await server.start()
    return server, f"127.0.0.1:{server.port}"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for issuer in ("gateway", "notifications"):
        create_key(tmp_path, issuer)
    return tmp_path


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    for number in range(3):
        await bench.submit(a_project(), reference=f"R-{number}", receipt=str(number))
    await bench.submit(a_mandate())
    await bench.settle()
    return bench


@pytest.fixture
async def address(bench: Bench, keys: Path) -> AsyncIterator[str]:
    servicer = MatchingServicer(bench.matches)
    server, address = await serving(
        keys, "matching", lambda raw: add_MatchingServiceServicer_to_server(servicer, raw), RIGHTS
    )
    yield address
    await server.stop(0)


@pytest.fixture
async def matching(address: str, keys: Path) -> AsyncIterator[MatchingServiceStub]:
    async with connect(address, TokenSigner(keys, "gateway"), "matching") as channel:
        yield MatchingServiceStub(channel)


def of(firm: Firm, **page: Any) -> pb.ListMatchesRequest:
    return pb.ListMatchesRequest(firm=pb.Identifier(scheme=firm.scheme, value=firm.value), **page)


async def test_the_matches_of_a_firm_come_in_pages_with_score_and_reasons(matching: Any) -> None:
    first = await matching.ListMatches(of(INVESTOR, page_size=2))
    second = await matching.ListMatches(of(INVESTOR, page_size=2, page_token=first.next_page_token))
    assert (len(first.matches), len(second.matches), second.next_page_token) == (2, 1, "")
    one = first.matches[0]
    assert (one.score, one.status, one.round) == (100, pb.MATCH_STATUS_FOUND, 1)
    assert sum(reason.points for reason in one.reasons) == one.score
    assert (one.project.firm.value, one.mandate.firm.value) == (SPONSOR.value, INVESTOR.value)
    assert one.HasField("judged_at")


async def test_a_page_token_of_another_firms_list_is_refused(matching: Any) -> None:
    first = await matching.ListMatches(of(INVESTOR, page_size=2))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await matching.ListMatches(of(SPONSOR, page_token=first.next_page_token))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_one_match_is_found_by_its_id(matching: Any) -> None:
    known = (await matching.ListMatches(of(SPONSOR))).matches[0]
    assert (await matching.GetMatch(pb.GetMatchRequest(match_id=known.id))).match == known


@pytest.mark.parametrize(
    ("method", "request_", "code", "reason"),
    [
        ("GetMatch", pb.GetMatchRequest(match_id="M-1-2"), grpc.StatusCode.NOT_FOUND, "MATCH_UNKNOWN"),
        ("ListMatches", pb.ListMatchesRequest(), grpc.StatusCode.INVALID_ARGUMENT, "FIRM_MISSING"),
        ("ListMatches", of(SPONSOR, page_token="é"), grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID"),
        ("ListMatches", of(SPONSOR, page_size=-1), grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID"),
        ("GetMatch", pb.GetMatchRequest(match_id="Ж" * 10_000), grpc.StatusCode.NOT_FOUND, "MATCH_UNKNOWN"),
    ],
)
async def test_errors_have_a_stable_reason(matching: Any, method: Any, request_: Any, code: Any, reason: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(matching, method)(request_)
    assert (caught.value.code(), reason_of(caught.value)) == (code, reason)


async def test_a_service_without_the_right_is_refused(address: Any, keys: Any) -> None:
    async with connect(address, TokenSigner(keys, "notifications"), "matching") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await MatchingServiceStub(channel).ListMatches(of(SPONSOR))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


class Registry(RegistryServiceServicer):
    """Returns the configured answers to any request."""

    def __init__(self) -> None:
        self.answers: list[registry_pb.PartyAnswer] = []

    async def CheckParties(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's own name
        return registry_pb.CheckPartiesResponse(answers=self.answers)


@pytest.fixture
async def registry(keys: Path) -> AsyncIterator[tuple[Registry, RegistryClient]]:
    servicer = Registry()  # type: ignore[abstract]  # one method is enough here
    server, address = await serving(
        keys, "registry", lambda raw: add_RegistryServiceServicer_to_server(servicer, raw), ANYONE
    )
    async with connect(address, TokenSigner(keys, "gateway"), "registry") as channel:
        yield servicer, RegistryClient(channel)
    await server.stop(0)


async def test_the_registrys_answers_are_read_in_order(registry: Any) -> None:
    servicer, client = registry
    servicer.answers = [
        registry_pb.PartyAnswer(standing=registry_pb.PARTY_STANDING_SUSPENDED, enterprise_id="A"),
        registry_pb.PartyAnswer(standing=registry_pb.PARTY_STANDING_UNKNOWN),
    ]
    answers = await client.standings([SPONSOR, INVESTOR])
    assert answers == [Answer(Standing.SUSPENDED, "A"), Answer(Standing.UNKNOWN, "")]


@pytest.mark.parametrize("answers", [[], [registry_pb.PartyAnswer()]])
async def test_an_unreadable_answer_raises(registry: Any, answers: Any) -> None:
    servicer, client = registry
    servicer.answers = answers
    with pytest.raises(RegistryAnswerUnreadable):
        await client.standings([SPONSOR])
