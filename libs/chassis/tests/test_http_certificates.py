"""TLS at an HTTP door, with a certificate that is replaced while the door is open."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from authority import Authority
from structlog.testing import capture_logs

from chassis.doors.http_server import HttpServer
from chassis.settings import HttpSettings
from chassis.tls import CertificatesNotRead, client_context

HOST = "127.0.0.1"


async def hello(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


class Door:
    """An open door, and its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, "authority")
        self.issued = self.authority.issue("door", HOST)
        settings = HttpSettings(port=0, certificate_file=self.issued.certificate, key_file=self.issued.key)
        self.server = HttpServer(hello, settings, paths=["/"])

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.server.port}/"

    def client(self, ca: Path) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(verify=client_context(ca, None, None), trust_env=False, timeout=5.0)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path)
    await door.server.start()
    yield door
    await door.server.stop()


async def test_the_door_speaks_tls_and_nothing_else(door: Door) -> None:
    async with door.client(door.authority.ca) as client:
        assert (await client.get(door.url)).text == "hello"
        with pytest.raises(httpx2.TransportError):
            await client.get(door.url.replace("https", "http"))
    async with door.client(Authority(door.folder, "other").ca) as client:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(door.url)


async def test_a_replaced_certificate_is_shown_to_new_connections_and_cuts_no_open_one(door: Door) -> None:
    second = Authority(door.folder, "second")
    async with door.client(door.authority.ca) as before, door.client(second.ca) as after:
        assert (await before.get(door.url)).text == "hello"
        door.issued.replace_by(second.issue("door", HOST))
        assert (await after.get(door.url)).text == "hello"
        assert (await before.get(door.url)).text == "hello", "its connection is open"
    async with door.client(door.authority.ca) as late:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await late.get(door.url)


async def test_files_that_cannot_be_used_leave_the_previous_certificate_in_use(door: Door) -> None:
    door.issued.certificate.write_text("half a certificate")
    with capture_logs() as logs:
        for _ in range(2):
            async with door.client(door.authority.ca) as client:
                assert (await client.get(door.url)).text == "hello"
    assert [each["event"] for each in logs if "certificates" in each["event"]] == ["certificates_not_read"]


def test_a_door_without_a_usable_certificate_does_not_open(tmp_path: Path) -> None:
    absent = HttpSettings(port=0, certificate_file=tmp_path / "absent.pem")
    with pytest.raises(CertificatesNotRead, match=r"absent\.pem: no certificate with its key can be read: No "):
        HttpServer(hello, absent, paths=["/"])
