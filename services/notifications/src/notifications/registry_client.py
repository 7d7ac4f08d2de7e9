"""gRPC client of registry: contacts of enterprises."""

from collections.abc import Sequence

import grpc

from chassis.failures import InfrastructureError
from notifications.contacts import Contact
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub

_FAULT_OF_THE_REQUEST = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE})
_OWN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED})


class RegistryContacts:
    """Contacts over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._registry = RegistryServiceStub(channel)

    async def contacts(self, recipients: Sequence[str]) -> list[Contact | None]:
        """One contact per recipient (SCHEME:VALUE), None if registry does not know the enterprise.

        Raises:
            grpc.aio.AioRpcError: registry is unreachable or refuses the request.
            InfrastructureError: registry is reachable but cannot answer (keys, rights, an internal error).
        """
        identifiers = []
        for recipient in recipients:
            scheme, _, value = recipient.partition(":")
            identifiers.append(pb.Identifier(scheme=scheme, value=value))
        try:
            response = await self._registry.ListContacts(pb.ListContactsRequest(identifiers=identifiers))
        except grpc.aio.AioRpcError as error:
            if error.code() in _FAULT_OF_THE_REQUEST | _OWN:
                raise
            raise InfrastructureError(f"registry cannot answer: {error.code().name}") from error
        if len(response.answers) != len(recipients):
            raise InfrastructureError("registry's answer has the wrong number of enterprises")
        return [
            Contact(answer.contact.email, answer.contact.language) if answer.enterprise_id else None
            for answer in response.answers
        ]
