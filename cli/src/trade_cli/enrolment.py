"""Enrols parties at a platform, over gRPC as staff: enterprises in the registry, partners and keys at the gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from trade.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from trade.registry.v1 import registry_pb2, registry_pb2_grpc
from trade_cli.granting import grants
from trade_cli.partners import register as partner_register
from trade_cli.platform import Platform


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A firm to be registered."""

    scheme: str
    value: str
    country: str
    name: str
    roles: tuple[str, ...]
    email: str
    language: str

    @property
    def id(self) -> str:
        return f"{self.scheme}:{self.value}"


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner system and its grants, as written at the terminal."""

    code: str
    role: str
    places: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()


async def register(platform: Platform, enterprises: Sequence[Enterprise]) -> list[str]:
    """Register enterprises, leaving known ones unchanged; returns their numbers.

    Raises:
        grpc.aio.AioRpcError: registry refuses or is unavailable.
    """
    async with platform.channel("registry") as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        for each in enterprises:
            try:
                await stub.RegisterEnterprise(_registration(each))
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise
    return [each.id for each in enterprises]


def _registration(each: Enterprise) -> registry_pb2.RegisterEnterpriseRequest:
    return registry_pb2.RegisterEnterpriseRequest(
        command_id=f"enrol/{each.id}",
        country=each.country,
        identifiers=[registry_pb2.Identifier(scheme=each.scheme, value=each.value)],
        roles=[registry_pb2.EnterpriseRole.Value(f"ENTERPRISE_ROLE_{role.upper()}") for role in each.roles],
        name=each.name,
        contact=registry_pb2.Contact(email=each.email, language=each.language),
    )


async def issue_keys(
    platform: Platform, firms: Sequence[Enterprise], partners: Sequence[Partner], *, label: str
) -> Mapping[str, str]:
    """A new key for each, by the firm's number or the partner's code. Partners are registered and granted first.

    Raises:
        grpc.aio.AioRpcError: gateway refuses or is unavailable.
    """
    keys: dict[str, str] = {}
    async with platform.channel("gateway") as channel:
        for each in partners:
            granted = grants(each.places, each.offices, each.agencies, each.carriers)
            await partner_register(channel, each.code, each.role, granted)
        stub = gateway_pb2_grpc.KeyServiceStub(channel)
        for name, owner in _owners(firms, partners):
            answer: Any = await stub.IssueKey(gateway_pb2.IssueKeyRequest(owner=owner, label=label))
            keys[name] = answer.secret
    return keys


def _owners(firms: Sequence[Enterprise], partners: Sequence[Partner]) -> list[tuple[str, gateway_pb2.Owner]]:
    of_firms = [
        (each.id, gateway_pb2.Owner(firm=gateway_pb2.Firm(scheme=each.scheme, value=each.value))) for each in firms
    ]
    of_partners = [
        (each.code, gateway_pb2.Owner(partner=gateway_pb2.Partner(code=each.code, role=each.role))) for each in partners
    ]
    return of_firms + of_partners
