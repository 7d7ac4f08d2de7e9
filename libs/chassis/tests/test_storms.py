"""Repeated lines of libraries: the first is written in full, the rest are counted, and none is lost uncounted."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.telemetry import storms
from chassis.telemetry.storms import CalmHandler, Storms
from chassis.testing import eventually

INTERVAL = 60.0


def a_record(
    text: str = "Unable connect to node with id %s",
    *arguments: object,
    name: str = "aiokafka",
    level: int = logging.ERROR,
    error: Exception | None = None,
) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord(name, level, "client.py", 1, text, arguments or (1,) if "%" in text else (), info)


def written(lines: Sequence[logging.LogRecord]) -> list[tuple[str, int]]:
    """Per line, its text and the number of suppressed lines."""
    return [(line.getMessage(), getattr(line, "left_out", 0)) for line in lines]


LINE = "Unable connect to node with id 1"


def test_a_storm_is_its_first_line_and_one_per_interval_that_counts() -> None:
    calm = Storms(INTERVAL)
    lines = [line for second in range(5600) for line in calm.take(a_record(), second / 40)] + calm.rest()
    assert [text for text, _ in written(lines)] == [LINE] * 4, "140 seconds are three intervals"
    assert sum(max(count, 1) for _, count in written(lines)) == 5600


def test_a_line_that_does_not_repeat_is_written_as_it_is_and_forgotten() -> None:
    calm = Storms(INTERVAL)
    assert written(calm.take(a_record(), 0)) == [(LINE, 0)]
    assert calm.next_end is None
    assert written(calm.take(a_record(), INTERVAL)) == [(LINE, 0)]
    assert calm.rest() == []


def test_a_storm_that_is_over_is_told_when_its_interval_ends() -> None:
    calm = Storms(INTERVAL)
    for second in (0, 1, 2):
        calm.take(a_record(), second)
    assert calm.ended(INTERVAL - 1) == []
    assert calm.next_end == INTERVAL
    assert written(calm.ended(INTERVAL)) == [(LINE, 2)]
    assert calm.next_end is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (a_record("node %s", 1), a_record("node %s", 2), True),
        (a_record("task at 0x7f01"), a_record("task at 0xffab"), True),
        (a_record("id 0123456789abcdef"), a_record("id fedcba9876543210"), True),
        (a_record("topic %s", "a.v1"), a_record("topic %s", "b.v1"), False),
        (a_record(name="aiokafka"), a_record(name="pymongo"), False),
        (a_record(level=logging.ERROR), a_record(level=logging.WARNING), False),
        (a_record("failed", error=OSError()), a_record("failed", error=KeyError()), False),
        (a_record("failed", error=OSError("a")), a_record("failed", error=OSError("b")), True),
    ],
)
def test_lines_are_of_one_kind_where_only_numbers_and_ids_differ(
    one: logging.LogRecord, other: logging.LogRecord, same: bool
) -> None:
    calm = Storms(INTERVAL)
    calm.take(one, 0)
    assert (calm.take(other, 0) == []) is same


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 50)), max_size=200),
    st.integers(1, 3),
)
def test_every_line_is_written_or_counted(stream: list[tuple[str, float]], room: int) -> None:
    calm, now, lines = Storms(INTERVAL), 0.0, list[logging.LogRecord]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(storms, "MAX_KINDS", room)
        for text, later in stream:
            now += later
            lines += calm.take(a_record(text), now)
        lines += calm.rest()
    for text in "abcdefgh":
        counted = sum(max(count, 1) for said, count in written(lines) if said == text)
        assert counted == sum(1 for said, _ in stream if said == text)


async def test_what_was_left_out_is_told_though_nothing_follows() -> None:
    stream = io.StringIO()
    handler = CalmHandler(stream, interval_seconds=0.05)
    handler.setFormatter(logging.Formatter("%(message)s"))
    try:
        for _ in range(3):
            handler.handle(a_record())

        async def told() -> bool:
            return len(stream.getvalue().splitlines()) == 2

        await eventually(told)
    finally:
        handler.close()


def test_a_text_that_does_not_fit_its_arguments_harms_no_other_line(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = CalmHandler(stream)
    handler.handle(a_record("%s and %s", 1))
    handler.handle(a_record("well"))
    handler.close()
    assert stream.getvalue() == "well\n"
    assert "Logging error" in capsys.readouterr().err


PROGRAM = """
import logging, structlog
from chassis.telemetry import logs
logs.configure("registry")
for number in range(100):
    logging.getLogger("aiokafka").error("Unable connect to node with id %s", number)
    structlog.get_logger("registry.app").error("loop_failed")
"""


def test_a_process_that_ends_tells_what_it_left_out_and_lines_of_ours_stay_whole() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sum(line["event"] == "loop_failed" for line in lines) == 100
    first, last = [line for line in lines if line["logger"] == "aiokafka"]
    assert "repeated" not in first
    assert last["repeated"] == 99
    assert last["since"] >= first["timestamp"][:19]


COMMAND = """
import logging
from chassis.telemetry import calm_stderr
calm_stderr()
for number in range(100):
    logging.getLogger("aiokafka").error("Unable connect to node with id %s", number)
"""


def test_a_command_tells_a_storm_in_two_lines() -> None:
    ended = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr.splitlines() == [
        "Unable connect to node with id 0",
        "Unable connect to node with id 1 (99 times)",
    ]
