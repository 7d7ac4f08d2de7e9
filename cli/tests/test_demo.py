"""The demonstration with real servers, every service killed once: the shipment closes and nothing keeps running."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from contracts.topics import SERVICES

pytestmark = pytest.mark.infra


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TRADE_RUN_DIR": str(folder)}


def test_with_every_service_killed_once_the_shipment_closes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trade_cli.main", "demo", "--crash", "--json"]
    result = subprocess.run(
        command, capture_output=True, text=True, env=_environment(tmp_path), timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    told = json.loads(result.stdout)
    assert [each["where"] for each in told["shipment"]["situations"]] == ["closed"]
    assert sorted(each["service"] for each in told["kills"]) == sorted(SERVICES)
    message_ids = [each["message_id"] for each in told["mails"]]
    assert len(set(message_ids)) >= 6
    assert told["shipment"]["duties"][0]["total"] == "5577.96 CNY"
    assert told["match"]["matches"][0]["reasons"]
    steps = told["shipment"]["steps"]
    assert not any(step["conflicts"] for step in steps)
    assert len({step["id"] for step in steps}) == len(steps)
    linked = {step["cause_row"] for step in steps} - {""}
    assert len(linked) > 5
    assert linked <= {step["id"] for step in steps}
    assert all(step["cause_text"] for step in steps)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_it_stops_everything_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trade_cli.main", "demo"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment(tmp_path)
    )
    assert running.stdout is not None
    started: list[psutil.Process] = []
    for line in running.stdout:
        if "Starting the services" in line:
            started = psutil.Process(running.pid).children(recursive=True)
            running.send_signal(signal.SIGINT)
            break
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 130, output
    assert started
    assert not [each for each in started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
