"""The whole life of a platform: up, down, killed, and what a user sees when something is missing."""

import asyncio
import contextlib
import email
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from launcher import lifecycle
from launcher.failures import LauncherError
from launcher.infrastructure import Infrastructure
from launcher.layout import FolderLock, Layout
from launcher.platform import Platform
from launcher.progress import silent
from launcher.servers import GivenServer
from launcher.services import SERVICES

pytestmark = pytest.mark.infra


async def eventually(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


def processes_of(folder: Path) -> list[int]:
    """Processes that mention the platform's folder in their command or settings."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = [*process.cmdline(), *(v for n, v in process.environ().items() if n.startswith("TRADE_"))]
            if process.pid != os.getpid() and any(str(folder) in word for word in words):
                found.append(process.pid)
    return found


@pytest.fixture
async def layout(tmp_path: Path, stand_ins: Path) -> AsyncIterator[Layout]:
    layout = Layout(tmp_path / "where" / ("deep" * 30) / "tried")
    yield layout
    await lifecycle.down(layout, silent)


async def test_a_service_that_dies_at_the_start_is_told_in_one_line_and_nothing_is_left(
    infrastructure: Infrastructure, tmp_path: Path, stand_ins: Path
) -> None:
    (stand_ins / "broken").write_text("matching-0")
    platform = Platform(tmp_path / "broken", infrastructure=infrastructure)
    with pytest.raises(LauncherError, match=r"matching ended while starting .* TRADE_MONGO__URL: no such thing"):
        await platform.start()
    assert processes_of(tmp_path / "broken") == []


async def test_parts_are_killed_and_come_back_on_the_same_ports(
    infrastructure: Infrastructure, tmp_path: Path, stand_ins: Path
) -> None:
    async with Platform(tmp_path / "here", infrastructure=infrastructure, partners=["bank-1"]) as platform:
        before = platform.describe()
        await platform.kill("registry")
        assert not platform.parts["registry"].alive
        await platform.restart("registry")
        after = json.loads((tmp_path / "here" / "platform.json").read_text())
        assert after["services"]["registry"]["pid"] != before["services"]["registry"]["pid"]
        assert {**after["services"]["registry"], "pid": 0} == {**before["services"]["registry"], "pid": 0}
    assert not (tmp_path / "here" / "platform.json").exists()
    assert processes_of(tmp_path / "here") == []
    async with Platform(tmp_path / "here", infrastructure=infrastructure) as platform:
        assert platform.describe()["gateway_url"] == before["gateway_url"]
        with pytest.raises(LauncherError, match=r"runs in .* already"):
            await Platform(tmp_path / "here", infrastructure=infrastructure).start()
    seen = json.loads((stand_ins / "tracking.json").read_text())
    assert seen["TRADE_KAFKA__BOOTSTRAP_SERVERS"] == infrastructure.bootstrap_servers
    assert seen["TRADE_PEERS__REGISTRY"] == before["services"]["registry"]["grpc"]


async def test_mails_are_kept_whole(infrastructure: Infrastructure, tmp_path: Path, stand_ins: Path) -> None:
    async with Platform(tmp_path / "here", infrastructure=infrastructure) as platform:
        smtp = platform.describe()["smtp"]

        def send() -> None:
            with smtplib.SMTP(smtp["host"], smtp["port"]) as client:
                client.sendmail("a@example.org", ["b@example.org"], "Message-ID: <1@trade>\r\n\r\n放行\r\n".encode())

        await eventually(lambda: _tried(send))
        (mail,) = (tmp_path / "here" / "mail").glob("*.eml")
        message = email.message_from_bytes(mail.read_bytes())
        assert (message["Message-ID"], message["X-Envelope-To"]) == ("<1@trade>", "b@example.org")


def _tried(act: Callable[[], None]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


async def test_up_twice_is_harmless_and_down_stops_everything(layout: Layout) -> None:
    lines: list[str] = []
    first = await lifecycle.up(layout, "auto", lines.append)
    assert any("Database: " in line for line in lines)
    second = await lifecycle.up(layout, "auto", lines.append)
    assert second == first
    with pytest.raises(LauncherError, match="run `make down` first"):
        await lifecycle.up(layout, "auto", silent, rebuild=["registry"])
    found = await lifecycle.status(layout)
    assert found is not None
    assert found["state"] == "ready"
    assert await lifecycle.down(layout, silent)
    assert processes_of(layout.folder) == []
    assert not await lifecycle.down(layout, silent)
    again = await lifecycle.up(layout, "auto", silent)
    assert again["gateway_url"] == first["gateway_url"]
    assert again["kafka"] == first["kafka"]


async def test_a_part_that_dies_is_started_again_and_noted(layout: Layout) -> None:
    description = await lifecycle.up(layout, "auto", silent)
    os.kill(description["services"]["matching"]["pid"], signal.SIGKILL)

    def noted() -> bool:
        return "matching" in json.loads(layout.description.read_text())["restarts"]

    await eventually(noted)
    found = await lifecycle.status(layout)
    assert found is not None
    assert found["restarts"]["matching"]["count"] == 1
    assert found["state"] == "ready"


async def test_one_part_is_started_again_by_order_and_is_ready_when_it_is_said_so(layout: Layout) -> None:
    before = await lifecycle.up(layout, "auto", silent)
    pids = pids_of(before)
    for part in ("kafka", "database", "mail", "matching"):
        done = await lifecycle.restart(layout, part, silent)
        assert done["part"] == part
        found = await lifecycle.status(layout)
        assert found is not None
        assert found["state"] == "ready"
        now = pids_of(found)
        assert now[part] == done["pid"] != pids[part], "a new process, and the description has it"
        assert not psutil.pid_exists(pids[part])
        assert {**now, part: 0} == {**pids, part: 0}, "no other part was touched"
        pids = now
        assert found["restarts"] == {}, "nothing died"
    with pytest.raises(LauncherError, match=r"no part 'mongo'; there are kafka, database, .*gateway.*mail"):
        await lifecycle.restart(layout, "mongo", silent)


def pids_of(description: dict[str, Any]) -> dict[str, int]:
    return {name: part["pid"] for name, part in (description["services"] | description["parts"]).items()}


async def test_the_status_has_every_process_and_sees_one_that_is_dead(layout: Layout) -> None:
    description = await lifecycle.up(layout, "auto", silent)
    pids = pids_of(description)
    assert {"kafka", "database", "mail", "launcher", *SERVICES} == pids.keys()
    assert set(pids.values()) - {pids["launcher"]} == {
        child.pid for child in psutil.Process(pids["launcher"]).children()
    }
    os.kill(pids["launcher"], signal.SIGSTOP)  # so that it starts nothing again
    try:
        os.kill(pids["database"], signal.SIGKILL)
        found = await lifecycle.status(layout)
    finally:
        os.kill(pids["launcher"], signal.SIGCONT)
    assert found is not None
    assert found["state"] == "not ready"
    assert [name for name, part in found["parts"].items() if not part["alive"]] == ["database"]


async def test_nothing_is_started_again_where_no_platform_runs(layout: Layout) -> None:
    with pytest.raises(LauncherError, match="No platform runs here"):
        await lifecycle.restart(layout, "kafka", silent)


async def test_a_server_that_was_given_is_not_ours_to_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = Infrastructure(Path("unused"))
    servers._kafka = servers._database = GivenServer("MongoDB", "mongodb://db")
    with pytest.raises(LauncherError, match="MongoDB was not started here"):
        await servers.restart("database")


async def test_a_killed_launcher_leaves_no_orphan_and_the_next_up_works(layout: Layout) -> None:
    description = await lifecycle.up(layout, "auto", silent)
    os.kill(description["launcher_pid"], signal.SIGKILL)
    await eventually(lambda: processes_of(layout.folder) == [])
    # A process has no command line any more a moment before the kernel closes its files, the lock among them.
    await eventually(lambda: FolderLock(layout.lock).holder() is None)
    assert await lifecycle.status(layout) is None
    assert (await lifecycle.up(layout, "auto", silent))["gateway_url"] == description["gateway_url"]


async def test_an_interrupted_up_leaves_nothing(layout: Layout) -> None:
    code = f"""
import sys
from pathlib import Path
from launcher import interrupt, lifecycle
from launcher.layout import Layout
try:
    interrupt.run(lifecycle.up(Layout(Path({str(layout.folder)!r})), "auto", print))
except interrupt.Interrupted:
    sys.exit(130)
"""
    up = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True)
    assert up.stdout is not None
    for line in up.stdout:
        if line.startswith("Starting Kafka"):
            break
    up.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(up.wait, 60) == 130
    up.stdout.close()
    assert processes_of(layout.folder) == []


async def test_a_taken_port_is_told_in_one_line(layout: Layout) -> None:
    await lifecycle.up(layout, "auto", silent)
    await lifecycle.down(layout, silent)
    port = json.loads(layout.ports.read_text())["gateway.http"]
    taker = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)])
    try:
        await eventually(lambda: _listens(port))
        with pytest.raises(LauncherError, match=rf"Port {port} \(gateway.http\) is taken by python.*--new-ports"):
            await lifecycle.up(layout, "auto", silent)
        description = await lifecycle.up(layout, "auto", silent, new_ports=True)
        assert description["gateway_url"] != f"http://127.0.0.1:{port}"
    finally:
        taker.kill()
        taker.wait()


def _listens(port: int) -> bool:
    return any(
        connection.laddr[1:] == (port,) and connection.status == psutil.CONN_LISTEN
        for connection in psutil.net_connections("tcp4")
    )
