"""gRPC client of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from matching.domain.listing import Standing
from matching.domain.terms import Firm
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub

CHECK_PARTIES = "/trade.registry.v1.RegistryService/CheckParties"
"""A read-only method, so it may be retried."""

_STANDINGS = {
    pb.PARTY_STANDING_MAY_ACT: Standing.MAY_ACT,
    pb.PARTY_STANDING_UNKNOWN: Standing.UNKNOWN,
    pb.PARTY_STANDING_SUSPENDED: Standing.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The registry's answer about one firm; `enterprise_id` is empty if the firm is unknown."""

    standing: Standing
    enterprise_id: str


class RegistryAnswerUnreadable(Exception):
    """The registry's answer has the wrong number of parties, or a standing that this release does not know."""


class RegistryClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = RegistryServiceStub(channel)

    async def standings(self, firms: Sequence[Firm]) -> list[Answer]:
        """One answer per firm, in the order of `firms`.

        Raises:
            grpc.aio.AioRpcError: the registry is unreachable or refuses the call.
            RegistryAnswerUnreadable: the answer does not match the request.
        """
        parties = [pb.PartyToCheck(identifier=pb.Identifier(scheme=firm.scheme, value=firm.value)) for firm in firms]
        response = await self._stub.CheckParties(pb.CheckPartiesRequest(parties=parties))
        if len(response.answers) != len(firms):
            raise RegistryAnswerUnreadable(f"asked for {len(firms)} parties, got {len(response.answers)} answers")
        return [_answer(answer) for answer in response.answers]


def _answer(answer: pb.PartyAnswer) -> Answer:
    standing = _STANDINGS.get(answer.standing)
    if standing is None:
        raise RegistryAnswerUnreadable(f"unknown standing {answer.standing}")
    return Answer(standing, answer.enterprise_id)
