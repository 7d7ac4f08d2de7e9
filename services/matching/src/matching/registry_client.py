"""Asks the registry who may trade."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from matching.domain.listing import Standing
from matching.domain.terms import Firm
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub

CHECK_PARTIES = "/trade.registry.v1.RegistryService/CheckParties"
"""Asks and changes nothing, so that it may be repeated."""

_STANDINGS = {
    pb.PARTY_STANDING_MAY_ACT: Standing.MAY_ACT,
    pb.PARTY_STANDING_UNKNOWN: Standing.UNKNOWN,
    pb.PARTY_STANDING_SUSPENDED: Standing.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry says of one firm; the enterprise is empty where it is unknown."""

    standing: Standing
    enterprise_id: str


class RegistryAnswerUnreadable(Exception):
    """The registry answered with fewer parties than were asked for, or with a standing not known here."""


class RegistryClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = RegistryServiceStub(channel)

    async def standings(self, firms: Sequence[Firm]) -> list[Answer]:
        """One answer per firm, in the order asked.

        Raises:
            grpc.aio.AioRpcError: the registry is away, or refuses the call.
            RegistryAnswerUnreadable: the answer does not fit the question.
        """
        parties = [pb.PartyToCheck(identifier=pb.Identifier(scheme=firm.scheme, value=firm.value)) for firm in firms]
        response = await self._stub.CheckParties(pb.CheckPartiesRequest(parties=parties))
        if len(response.answers) != len(firms):
            raise RegistryAnswerUnreadable(f"{len(firms)} parties asked for, {len(response.answers)} answered")
        return [_answer(answer) for answer in response.answers]


def _answer(answer: pb.PartyAnswer) -> Answer:
    standing = _STANDINGS.get(answer.standing)
    if standing is None:
        raise RegistryAnswerUnreadable(f"standing {answer.standing} is not known here")
    return Answer(standing, answer.enterprise_id)
