"""gRPC client of the registry: whether parties may act in their roles."""

from collections.abc import Sequence

import grpc

from declarations.domain.commands import Standing
from declarations.domain.declaration import Party, Role
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub

CHECK_PARTIES = "/trade.registry.v1.RegistryService/CheckParties"

BATCH = 200
"""Maximum number of parties per call."""

_ROLES = {
    Role.DECLARANT: pb.ENTERPRISE_ROLE_DECLARANT,
    Role.IMPORTER: pb.ENTERPRISE_ROLE_IMPORTER,
    Role.EXPORTER: pb.ENTERPRISE_ROLE_EXPORTER,
    Role.AGENT: pb.ENTERPRISE_ROLE_AGENT,
    Role.CARRIER: pb.ENTERPRISE_ROLE_CARRIER,
}
"""Parties with other roles only have to be registered and active."""

_STANDINGS = {
    pb.PARTY_STANDING_MAY_ACT: Standing.MAY_ACT,
    pb.PARTY_STANDING_UNKNOWN: Standing.UNKNOWN,
    pb.PARTY_STANDING_SUSPENDED: Standing.SUSPENDED,
    pb.PARTY_STANDING_ROLE_MISSING: Standing.ROLE_MISSING,
}


class RegistryAnswerUnreadable(Exception):
    """The registry's answer has the wrong number of parties, or a standing that this release does not know."""


class RegistryClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = RegistryServiceStub(channel)

    async def standings(self, parties: Sequence[Party]) -> dict[Party, Standing]:
        """The registry's answer for each distinct party.

        Raises:
            grpc.aio.AioRpcError: the registry is unreachable or refuses the call.
            RegistryAnswerUnreadable: the answer does not match the request.
        """
        different = list(dict.fromkeys(parties))
        standings: dict[Party, Standing] = {}
        for start in range(0, len(different), BATCH):
            asked = different[start : start + BATCH]
            response = await self._stub.CheckParties(
                pb.CheckPartiesRequest(parties=[_to_check(each) for each in asked])
            )
            if len(response.answers) != len(asked):
                raise RegistryAnswerUnreadable(f"asked for {len(asked)} parties, got {len(response.answers)} answers")
            standings |= {party: _standing(answer) for party, answer in zip(asked, response.answers, strict=True)}
        return standings


def _to_check(party: Party) -> pb.PartyToCheck:
    return pb.PartyToCheck(
        identifier=pb.Identifier(scheme=party.identifier.scheme, value=party.identifier.value),
        role=_ROLES.get(party.role, pb.ENTERPRISE_ROLE_UNSPECIFIED),
    )


def _standing(answer: pb.PartyAnswer) -> Standing:
    standing = _STANDINGS.get(answer.standing)
    if standing is None:
        raise RegistryAnswerUnreadable(f"unknown standing {answer.standing}")
    return standing
