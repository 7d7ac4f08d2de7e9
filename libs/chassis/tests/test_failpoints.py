"""Fail points: no effect when off, exactly the armed fault when armed, unavailable in production."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict
from pymongo.errors import ConnectionFailure

from chassis import failpoints
from chassis.doors.admin import AdminServer
from chassis.failpoints import POINTS, NotArmed, passage
from chassis.failures import is_infrastructure
from chassis.settings import ListenSettings, ServiceSettings

DIES = """
import sys
from chassis import failpoints
failpoints.arm(sys.argv[1:])
for number in range(1, 4):
    failpoints.passage("save.before")
    print(number, flush=True)
"""


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TEST_FAIL_POINTS_")


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm([])


def test_nothing_happens_where_nothing_is_armed() -> None:
    for point in POINTS:
        passage(point)


@pytest.mark.parametrize("point", POINTS)
def test_a_lost_answer_is_a_failure_that_is_tried_again(point: str) -> None:
    failpoints.arm([f"{point}:lose:2"])
    passage(point)
    with pytest.raises(Exception, match=point) as lost:
        passage(point)
    assert is_infrastructure(lost.value)
    passage(point)  # once, and never again
    assert failpoints.armed() == []


def test_an_answer_is_lost_as_its_library_would_say_it() -> None:
    failpoints.arm(["save.after:lose", "commit.after:lose"])
    with pytest.raises(ConnectionFailure):
        passage("save.after")
    with pytest.raises(KafkaError):
        passage("commit.after")


def test_a_process_dies_at_the_passage_that_was_ordered() -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES, "save.before:kill:3"], check=False, capture_output=True, text=True
    )
    assert died.returncode == -signal.SIGKILL
    assert "1\n2\n" in died.stdout
    assert "3\n" not in died.stdout


def test_a_frozen_process_goes_on_when_it_is_thawed() -> None:
    with subprocess.Popen([sys.executable, "-c", DIES, "save.before:freeze"], stdout=subprocess.PIPE) as frozen:
        _, status = os.waitpid(frozen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        frozen.send_signal(signal.SIGCONT)
        out, _ = frozen.communicate(timeout=10)
    assert out.endswith(b"1\n2\n3\n")


@pytest.mark.parametrize("order", ["save", "save.before", "save.before:melt", "save.before:kill:0", "x:kill", ""])
def test_what_cannot_be_armed_is_refused_and_leaves_all_as_it_was(order: str) -> None:
    failpoints.arm(["trim.after:lose:9"])
    with pytest.raises(NotArmed, match=r"known: |counted from 1"):
        failpoints.arm([order])
    assert failpoints.armed() == ["trim.after:lose:9"]


def test_production_takes_no_fail_points() -> None:
    with pytest.raises(ValidationError, match="TRADE_ENVIRONMENT=development"):
        Settings(name="x", fail_points=("save.before:kill",))
    known = Settings(name="x", environment="development", fail_points="save.before:kill,save.after:lose")
    assert known.fail_points == ("save.before:kill", "save.after:lose")


async def test_the_admin_port_arms_in_development_only() -> None:
    order = ("POST", "/failpoints", "arm=save.after:lose:2&arm=trim.before:lose")
    status, _, _ = await AdminServer(ListenSettings(port=0)).answer(*order)
    assert status == 405
    assert failpoints.armed() == []
    development = AdminServer(ListenSettings(port=0), development=True)
    status, _, body = await development.answer(*order)
    assert (status, json.loads(body)) == (200, {"armed": ["save.after:lose:2", "trim.before:lose:1"]})
    status, _, body = await development.answer("POST", "/failpoints", "arm=nowhere:kill")
    assert status == 400
    assert "nowhere" in json.loads(body)["error"]
    assert failpoints.armed() == ["save.after:lose:2", "trim.before:lose:1"]
