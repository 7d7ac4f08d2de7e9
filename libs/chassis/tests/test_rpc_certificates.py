"""Mutual TLS between services: who has no certificate of the authority is not heard, and certificates may change."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from authority import Authority, Issued, bundle
from structlog.testing import capture_logs

from chassis.rpc import Certificates, GrpcServer, Right, TokenSigner, TokenVerifier, connect, create_key
from chassis.settings import DoorSettings, TlsSettings
from chassis.testing import eventually
from chassis.tls import CertificatesNotRead
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub

LIST = "/trade.parking.v1.ParkingService/ListParked"
HOST = "127.0.0.1"
SECONDS = 5.0


def certificates(issued: Issued, ca: Path) -> Certificates:
    """They look at their files whenever they are asked."""
    files = TlsSettings(ca_file=ca, certificate_file=issued.certificate, key_file=issued.key)
    return Certificates(files, monotonic=itertools.count(step=10.0).__next__)


class Peer:
    def __init__(self) -> None:
        self.heard = 0
        self.held = asyncio.Event()
        self.held.set()

    async def answer(self, request: Any, context: Any) -> pb.ListParkedResponse:
        self.heard += 1
        await self.held.wait()
        return pb.ListParkedResponse()

    def serve(self, server: grpc.aio.Server) -> None:
        service, method = LIST.lstrip("/").split("/")
        handler = grpc.unary_unary_rpc_method_handler(
            self.answer, pb.ListParkedRequest.FromString, pb.ListParkedResponse.SerializeToString
        )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])


class World:
    """A registry that takes calls of declarations, and the authority of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        create_key(self.keys, "declarations")
        self.authority = Authority(folder, "first")
        self.server_ca = bundle(folder / "server-ca.pem", self.authority)
        self.client_ca = bundle(folder / "client-ca.pem", self.authority)
        self.of_server = self.authority.issue("registry", HOST)
        self.of_client = self.authority.issue("declarations")
        self.peer = Peer()
        self.server = self.make_server(0)

    def make_server(self, port: int) -> GrpcServer:
        server = GrpcServer(
            DoorSettings(port=port),
            TokenVerifier(self.keys),
            audience="registry",
            rights={LIST: Right(services=("declarations",))},
            certificates=certificates(self.of_server, self.server_ca),
        )
        server.register(self.peer.serve)
        return server

    async def restart(self) -> None:
        """Every connection ends; callers must connect anew."""
        port = self.server.port
        await self.server.stop(0)
        self.server = self.make_server(port)
        await self.server.start()

    def channel(self, shown: Certificates | None) -> grpc.aio.Channel:
        address = f"{HOST}:{self.server.port}"
        return connect(address, TokenSigner(self.keys, "declarations"), "registry", certificates=shown)

    async def call(self, channel: grpc.aio.Channel) -> grpc.StatusCode:
        try:
            await ParkingServiceStub(channel).ListParked(pb.ListParkedRequest(), timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    async def until_heard(self, calls: int) -> None:
        async def heard() -> bool:
            return self.peer.heard >= calls

        await eventually(heard)

    async def call_anew(self, shown: Certificates | None) -> grpc.StatusCode:
        async with self.channel(shown) as channel:
            return await self.call(channel)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.server.start()
    yield world
    await world.server.stop(0)


async def test_who_has_a_certificate_of_the_authority_and_a_token_is_answered(world: World) -> None:
    assert await world.call_anew(certificates(world.of_client, world.client_ca)) is grpc.StatusCode.OK


async def test_who_has_no_certificate_of_the_authority_is_not_heard(world: World) -> None:
    stranger = Authority(world.folder, "stranger").issue("declarations")
    assert await world.call_anew(None) is grpc.StatusCode.UNAVAILABLE
    assert await world.call_anew(certificates(stranger, world.client_ca)) is grpc.StatusCode.UNAVAILABLE
    without = grpc.ssl_channel_credentials(world.authority.ca.read_bytes())
    async with grpc.aio.secure_channel(f"{HOST}:{world.server.port}", without) as channel:
        assert await world.call(channel) is grpc.StatusCode.UNAVAILABLE
    assert world.peer.heard == 0


async def test_a_certificate_is_no_token(world: World) -> None:
    shown = certificates(world.of_client, world.client_ca).latest.of_client()
    async with grpc.aio.secure_channel(f"{HOST}:{world.server.port}", shown) as channel:
        assert await world.call(channel) is grpc.StatusCode.UNAUTHENTICATED
    assert world.peer.heard == 0


async def test_a_caller_talks_to_no_server_of_another_authority_or_name(world: World) -> None:
    other = Authority(world.folder, "other")
    assert await world.call_anew(certificates(world.of_client, other.ca)) is grpc.StatusCode.UNAVAILABLE
    world.of_server.replace_by(world.authority.issue("registry", "another.example"))
    assert await world.call_anew(certificates(world.of_client, world.client_ca)) is grpc.StatusCode.UNAVAILABLE
    assert world.peer.heard == 0


async def test_the_authority_is_replaced_step_by_step_while_calls_go_on(world: World) -> None:
    """The drill of docs/runbooks/certificates.md: trust both, show the new one, trust the new one alone."""
    shown = certificates(world.of_client, world.client_ca)
    second = Authority(world.folder, "second")
    old_client = world.authority.issue("declarations")
    async with world.channel(shown) as channel:
        answers = [await world.call(channel)]
        world.peer.held.clear()
        in_progress = asyncio.create_task(world.call(channel))
        await world.until_heard(2)
        for ca in (world.server_ca, world.client_ca):
            bundle(ca, world.authority, second)
        answers += [await _released(world, channel), await world.call_anew(shown)]
        world.of_server.replace_by(second.issue("registry", HOST))
        answers += [await world.call(channel), await world.call_anew(shown)]
        world.of_client.replace_by(second.issue("declarations"))
        answers += [await world.call(channel), await world.call_anew(shown)]
        for ca in (world.server_ca, world.client_ca):
            bundle(ca, second)
        answers += [await world.call(channel), await world.call_anew(shown), await in_progress]
        await world.restart()

        async def answered() -> bool:
            return await world.call(channel) is grpc.StatusCode.OK

        await eventually(answered)
    assert set(answers) == {grpc.StatusCode.OK}
    assert await world.call_anew(certificates(old_client, world.client_ca)) is grpc.StatusCode.UNAVAILABLE


async def _released(world: World, channel: grpc.aio.Channel) -> grpc.StatusCode:
    """Call over the renewed connection, and let the call go on that was in progress before it."""
    answer = asyncio.create_task(world.call(channel))
    await world.until_heard(3)
    world.peer.held.set()
    return await answer


async def test_files_that_cannot_be_used_leave_the_previous_certificate_in_use(world: World) -> None:
    shown = certificates(world.of_client, world.client_ca)
    with capture_logs() as logs:
        world.of_client.key.write_text("half a key")
        assert await world.call_anew(shown) is grpc.StatusCode.OK
        world.of_server.key.write_text("half a key")
        assert await world.call_anew(shown) is grpc.StatusCode.OK
    told = [each for each in logs if each["event"] == "certificates_not_read"]
    assert len(told) == 2, "once for each side, not at every connection"
    assert all("no certificate with its key can be read" in each["why"] for each in told)


def test_a_start_without_a_usable_certificate_says_which_file(tmp_path: Path) -> None:
    issued = Authority(tmp_path, "authority").issue("registry")
    with pytest.raises(CertificatesNotRead, match=r"nobody\.pem: no authority's certificate can be read from it"):
        certificates(issued, tmp_path / "nobody.pem")
    with pytest.raises(ValueError, match="needs CA_FILE, CERTIFICATE_FILE and KEY_FILE"):
        TlsSettings(certificate_file=issued.certificate, key_file=issued.key)
