"""Builds the registry service from its parts."""

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.rpc import Right
from contracts.topics import REGISTRY
from registry.grpc_server import RegistryServer
from registry.libraries import rules
from registry.ports import Ports
from registry.settings import RegistrySettings
from registry.store import ENTERPRISE, MongoClaims, MongoContacts
from trade.registry.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server

_SERVICE = "/trade.registry.v1.RegistryService"
_READ = "registry.read"
_WRITE = Right(staff="registry.write", publishes=True)

RIGHTS = {
    f"{_SERVICE}/CheckParties": Right(services=("declarations", "matching", "gateway"), staff=_READ),
    f"{_SERVICE}/ListContacts": Right(services=("notifications",), staff=_READ),
    f"{_SERVICE}/GetEnterprise": Right(staff=_READ),
    f"{_SERVICE}/RegisterEnterprise": _WRITE,
    f"{_SERVICE}/ChangeEnterprise": _WRITE,
    f"{_SERVICE}/SuspendEnterprise": _WRITE,
    f"{_SERVICE}/ReinstateEnterprise": _WRITE,
}
"""Who may call what."""


def build(settings: RegistrySettings, clock: Clock | None = None) -> Assembly:
    """Registry consumes no topic: it serves gRPC and publishes the changes that staff make."""
    service = Assembly(settings, clock=clock)
    ports = Ports(
        enterprises=service.aggregates(ENTERPRISE, topic=REGISTRY),
        claims=MongoClaims(service.db["claims"]),
        contacts=MongoContacts(service.db["contacts"]),
        rules=rules(),
    )
    server = RegistryServer(ports)
    service.grpc(lambda raw: add_RegistryServiceServicer_to_server(server, raw), rights=RIGHTS)
    return service
