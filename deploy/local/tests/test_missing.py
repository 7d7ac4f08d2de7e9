"""What the machine lacks is reported in one line that says what to do."""

import asyncio
import errno
import time
from pathlib import Path

import pytest

from launcher import database, jars, kafka
from launcher.failures import LauncherError, explain
from launcher.layout import Layout
from launcher.ports import PortBlock, is_free
from launcher.processes import Child


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its path and an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("JAVA_HOME", "KAFKA_BOOTSTRAP_SERVERS", "MONGO_URL"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def choose_kafka(folder: Path, mode: str = "auto") -> str:
    return kafka.choose(mode, folder, folder, port=1, controller_port=2).kind


def a_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_without_java_and_maven_both_are_named(bare: Path) -> None:
    with pytest.raises(LauncherError, match=r"openjdk-17-jre-headless.* and Maven .*apt-get install maven") as caught:
        choose_kafka(bare)
    assert "\n" not in str(caught.value)


def test_an_old_java_does_not_count(bare: Path) -> None:
    a_program(bare, "java", """echo 'openjdk version "11.0.2"' >&2""")
    a_program(bare, "mvn", "exit 0")
    with pytest.raises(LauncherError, match="Java 17 or newer"):
        choose_kafka(bare)


def test_a_docker_program_without_a_daemon_does_not_count(bare: Path) -> None:
    a_program(bare, "docker", "echo Cannot connect >&2; exit 1")
    with pytest.raises(LauncherError, match="Java 17 or newer"):
        choose_kafka(bare)
    with pytest.raises(LauncherError, match="Docker does not run"):
        choose_kafka(bare, "containers")


def test_a_running_docker_takes_the_place_of_java(bare: Path) -> None:
    a_program(bare, "docker", "echo 27.1")
    assert choose_kafka(bare) == "container"


def test_given_servers_are_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
    monkeypatch.setenv("MONGO_URL", "mongodb://db:27017")
    assert kafka.choose("auto", bare, bare, port=1, controller_port=2).address == "broker:9092"
    assert database.choose("auto", bare, bare, port=3).address == "mongodb://db:27017"


def test_external_without_an_address_names_the_variable(bare: Path) -> None:
    with pytest.raises(LauncherError, match="KAFKA_BOOTSTRAP_SERVERS"):
        choose_kafka(bare, "external")
    with pytest.raises(LauncherError, match="MONGO_URL"):
        database.choose("external", bare, bare, port=3)


def test_mongod_goes_before_the_embedded_database(bare: Path) -> None:
    assert database.choose("auto", bare, bare, port=3).kind == "secantusdb"
    a_program(bare, "mongod", "exit 0")
    assert database.choose("auto", bare, bare, port=3).kind == "mongod"


async def test_a_maven_that_fails_is_quoted_and_leaves_no_half_cache(bare: Path) -> None:
    a_program(bare, "mvn", "echo '[ERROR] no route to the repository'; exit 1")
    (bare / "maven.log").write_text("[ERROR] what went wrong yesterday\n")
    with pytest.raises(LauncherError, match=r"Maven could not fetch Kafka .*no route"):
        await jars.fetch_jars(lambda _: None, bare / "maven.log")
    assert list((bare / "cache" / "trade-platform").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "make it writable"), (errno.EMFILE, "ulimit")],
)
def test_what_the_system_refuses_says_what_to_do(number: int, words: str) -> None:
    assert words in str(explain(OSError(number, "refused", "/somewhere")))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LauncherError, match="The operating system refused"):
        Layout(tmp_path / "file" / "platform").prepare()


def test_a_platforms_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir(mode=0o755)
    Layout(tmp_path / "platform").prepare()
    assert (tmp_path / "platform").stat().st_mode & 0o077 == 0


def test_platforms_side_by_side_never_share_a_port() -> None:
    blocks = [PortBlock() for _ in range(20)]
    names = [f"port-{number}" for number in range(24)]
    ports = [port for block in blocks for port in block.choose(names, {}).values()]
    assert len(set(ports)) == len(ports)
    for block in blocks:
        block.release()


def test_remembered_ports_stay() -> None:
    first, second = PortBlock(), PortBlock()
    chosen = first.choose(["a", "b"], {})
    first.release()
    assert second.choose(["a", "b"], chosen) == chosen
    assert all(is_free(port) for port in chosen.values())
    second.release()


async def test_a_child_that_ignores_its_term_is_killed_with_its_group(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $! > child; echo ready > ready; while :; do sleep 1; done"
    child = Child(
        "stubborn",
        ["/bin/sh", "-c", f"cd {tmp_path}; {script}"],
        log=tmp_path / "log",
        environment={},
        stop_seconds=0.2,
    )
    child.start()

    async def ready() -> bool:
        return (tmp_path / "ready").exists()

    await child.until(ready, seconds=10)
    grandchild = int((tmp_path / "child").read_text())
    await child.stop()
    assert not child.alive
    deadline = time.monotonic() + 10
    while lives(grandchild):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
