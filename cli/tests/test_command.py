"""The command fails in one line on stderr with exit status 1, never with a stack trace; help shows examples."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from contracts.topics import SERVICES
from trade_cli import dev
from trade_cli.main import COMMANDS


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trade_cli.main", *arguments]
    own = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "COLUMNS": "120", **environment}  # noqa: S108 - no file is made
    return subprocess.run(command, capture_output=True, text=True, env=own, timeout=60, check=False)


def a_platform(folder: Path, **overrides: object) -> str:
    (folder / "password").write_text("a long enough password")
    (folder / "keys").mkdir()
    description = {
        "name": "test",
        "kafka": "127.0.0.1:1",
        "mongo_url": "mongodb://127.0.0.1:1",
        "database": "secantusdb",
        "keys_dir": str(folder / "keys"),
        "gateway_url": "http://127.0.0.1:1",
        "tracking_url": "http://127.0.0.1:1",
        "tracking_password_file": str(folder / "password"),
        "services": {},
        **overrides,
    }
    (folder / "platform.json").write_text(json.dumps(description))
    return str(folder / "platform.json")


def assert_one_line(result: subprocess.CompletedProcess[str], words: str) -> None:
    assert result.returncode == 1, result
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_without_a_platform_it_says_how_to_start_one(tmp_path: Path) -> None:
    result = run("trace", "6CN1", TRADE_PLATFORM=str(tmp_path / "none.json"))
    assert_one_line(result, "no platform runs here; start one with `make up`")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": 1}', "\0"])
def test_a_broken_platform_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "platform.json").write_text(content)
    result = run("trace", "6CN1", TRADE_PLATFORM=str(tmp_path / "platform.json"))
    assert_one_line(result, "is not a platform file")


def test_a_tracking_that_is_away_is_named(tmp_path: Path) -> None:
    result = run("trace", "6CN1", TRADE_PLATFORM=a_platform(tmp_path))
    assert_one_line(result, "nothing answers at 127.0.0.1:1")


def test_without_a_password_it_says_so(tmp_path: Path) -> None:
    file = a_platform(tmp_path, tracking_password_file=str(tmp_path / "absent"))
    assert_one_line(run("trace", "6CN1", TRADE_PLATFORM=file), "password")


def test_a_load_is_for_this_machine_only(tmp_path: Path) -> None:
    file = a_platform(tmp_path, gateway_url="http://trade.example:80")
    assert_one_line(run("simulate", "--shipments", "1", TRADE_PLATFORM=file), "not with trade.example")


def test_without_a_staff_key_it_says_so(tmp_path: Path) -> None:
    services = {"registry": {"pid": 1, "grpc": "127.0.0.1:1"}}
    file = a_platform(tmp_path, services=services)
    assert_one_line(run("simulate", "--shipments", "1", TRADE_PLATFORM=file), "no staff key")


@pytest.mark.parametrize("command", ["trace", "demo", "simulate"])
def test_help_shows_examples_and_json(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"trade {command}" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    command = typer.main.get_command(importlib.import_module(f"trade_cli.{name}").app)
    commands = {name: command} | {f"{name} {each}": one for each, one in getattr(command, "commands", {}).items()}
    assert [each for each, one in commands.items() if f"trade {each}" not in (one.epilog or "")] == []


def test_every_listed_command_loads() -> None:
    result = run("--help")
    assert result.returncode == 0, result.stderr
    assert {"trace", "demo", "simulate"} <= {each for each in COMMANDS if each in result.stdout}


def test_an_unknown_command_is_a_usage_error() -> None:
    result = run("nosuch")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_part_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    result = run("dev", "restart", "mongo", TRADE_RUN_DIR=str(tmp_path))
    assert_one_line(result, f"there is no part 'mongo'; there are {', '.join(SERVICES)}, kafka, database, mail")


def test_nothing_is_started_again_where_no_platform_runs(tmp_path: Path) -> None:
    assert_one_line(run("dev", "restart", "kafka", TRADE_RUN_DIR=str(tmp_path)), "No platform runs here")


def test_the_status_of_a_platform_names_the_process_of_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    service = {"pid": 11, "ready": True, "http": None, "grpc": "127.0.0.1:1"}
    parts = {
        "kafka": {"pid": 12, "kind": "kafka-jars", "address": "127.0.0.1:2", "alive": True},
        "database": {"pid": 13, "kind": "mongod", "address": "mongodb://user:secret@db:3/", "alive": False},
        "mail": {"pid": None, "kind": "given", "address": "127.0.0.1:4", "alive": None},
    }
    dev._show_status({"state": "not ready", "services": {"registry": service}, "parts": parts})
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown[1:] == [
        ["registry", "ready", "process", "11", "127.0.0.1:1"],
        ["kafka", "runs", "process", "12", "127.0.0.1:2", "(kafka-jars)"],
        ["database", "dead", "process", "13", "db:3/", "(mongod)"],
        ["mail", "no", "process", "of", "ours", "127.0.0.1:4", "(given)"],
    ]
