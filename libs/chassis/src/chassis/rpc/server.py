"""The gRPC server of a service.

Every call is authenticated and authorised, gets a place or is turned away, runs in the caller's trace, and ends by its
deadline; errors become statuses. With `certificates`, only connections by mutual TLS are taken. A method without an
entry in `rights` is refused. Before the server stops it reports NOT_SERVING, so that new calls go elsewhere while calls
in progress finish.
"""

from collections.abc import Callable, Mapping

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, enable_server_reflection

from chassis.backoff import jittered
from chassis.doors import Admission, Overloaded, never
from chassis.rpc.certificates import Certificates
from chassis.rpc.guard import DOOR, Guard
from chassis.rpc.identity import TokenVerifier
from chassis.rpc.rights import Right
from chassis.settings import DoorSettings

log = structlog.get_logger(__name__)

CONNECTION_AGE_SECONDS = 300.0
"""The age at which a connection is closed gracefully, so that callers find new replicas."""

_OPEN = {
    "/grpc.health.v1.Health/Check": Right(anyone=True),
    "/grpc.health.v1.Health/Watch": Right(anyone=True),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Right(anyone=True),
}

Register = Callable[[grpc.aio.Server], None]


class GrpcServer:
    """A service's gRPC server; register methods before `start`."""

    def __init__(
        self,
        listen: DoorSettings,
        verifier: TokenVerifier,
        *,
        audience: str,
        rights: Mapping[str, Right],
        reflection: bool = False,
        connection_age_seconds: float = CONNECTION_AGE_SECONDS,
        overloaded: Overloaded = never,
        certificates: Certificates | None = None,
    ) -> None:
        self._listen = listen
        self._rights = {**rights, **_OPEN}
        self._guard = Guard(audience, verifier, self._rights, Admission(DOOR, listen, overloaded))
        self._reflection = reflection
        self._age_ms = int(jittered(connection_age_seconds * 1000, 0.1))
        self._credentials = None if certificates is None else certificates.of_server()
        self._registrations: list[Register] = []
        self._server: grpc.aio.Server | None = None
        self._health = HealthServicer()
        self.port = listen.port
        """The port, once started."""

    def register(self, register: Register) -> None:
        """Serve what `register` adds to the server."""
        self._registrations.append(register)

    async def start(self) -> None:
        """Listen, and report SERVING.

        Raises:
            RuntimeError: the port is taken.
        """
        # Built here, not earlier: a server is bound to the running event loop.
        server = grpc.aio.server(
            interceptors=[self._guard],
            options=[
                ("grpc.max_connection_age_ms", self._age_ms),
                ("grpc.max_connection_age_grace_ms", 30_000),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ],
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        for register in self._registrations:
            register(server)
        if self._reflection:
            services = {method.split("/")[1] for method in self._rights}
            enable_server_reflection([*services, SERVICE_NAME], server)
        address = f"{self._listen.host}:{self._listen.port}"
        if self._credentials is None:
            self.port = server.add_insecure_port(address)
        else:
            self.port = server.add_secure_port(address, self._credentials)
        await server.start()
        self._server = server
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)

    async def say_not_serving(self) -> None:
        """Report NOT_SERVING to health checks; calls are still answered."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_seconds: float) -> None:
        """Report NOT_SERVING, finish the calls in progress, and cancel those not done in time."""
        await self.say_not_serving()
        if self._server is not None:
            await self._server.stop(grace_seconds)
            self._server = None
