"""Logs of the launcher's children are limited in size and number, and rotation loses no lines."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from launcher import logs
from launcher.logs import BoundedLog
from launcher.processes import Child

SMALL = 10_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", SMALL)
    monkeypatch.setattr(logs, "GATHER_SECONDS", 0.001)


def a_child(folder: Path, program: str) -> Child:
    return Child("talker", [sys.executable, "-u", "-c", program], log=folder / "talker.log", environment=os.environ)


def files(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(folder.glob("talker.log*"), key=lambda path: -int(path.suffix[1:] if path.suffix != ".log" else "0"))


TALKER = """
import sys, time
for number in range({lines}):
    sys.stdout.write(f"line {{number}} " + "x" * 50 + chr(10))
    if number % {burst} == 0:
        time.sleep(0.002)
"""


async def test_a_log_turns_over_while_its_process_runs_and_no_line_is_lost_or_cut(tmp_path: Path, small: None) -> None:
    child = a_child(tmp_path, TALKER.format(lines=700, burst=20))
    child.start()
    assert await child.finished() == 0
    kept = files(tmp_path)
    assert 3 < len(kept) <= logs.KEPT + 1
    told = [line for path in kept for line in path.read_text().splitlines()]
    assert told == [f"line {number} " + "x" * 50 for number in range(700)]


async def test_a_log_is_bounded_in_size_and_number_and_keeps_the_latest(tmp_path: Path, small: None) -> None:
    child = a_child(tmp_path, TALKER.format(lines=5000, burst=20))
    child.start()
    assert await child.finished() == 0
    kept = files(tmp_path)
    assert len(kept) == logs.KEPT + 1
    assert sum(path.stat().st_size for path in kept) < (logs.KEPT + 1) * SMALL * 2
    told = [line.split()[1] for path in kept for line in path.read_text().splitlines()]
    assert told == [str(number) for number in range(5000 - len(told), 5000)], "one piece, up to the last line"


async def test_the_last_words_of_a_killed_process_are_in_its_log(tmp_path: Path) -> None:
    child = a_child(tmp_path, "import os, signal; print('my last words'); os.kill(os.getpid(), signal.SIGKILL)")
    child.start()
    assert await child.finished() == -signal.SIGKILL
    assert child.last_words().startswith("my last words")


async def test_a_process_that_is_started_again_goes_on_in_the_same_log(tmp_path: Path) -> None:
    child = a_child(tmp_path, "print('said')")
    for _ in range(2):
        child.start()
        await child.finished()
    assert (tmp_path / "talker.log").read_text() == "said\nsaid\n"


async def test_a_disk_that_is_full_holds_no_process_up_and_what_it_missed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = BoundedLog(tmp_path / "full.log")
    add, full = log._add, [True]

    def no_room(chunk: bytes, file: object) -> object:
        if full:
            raise OSError(28, "No space left on device")
        return add(chunk, file)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "_add", no_room)
    sink = log.open()
    os.write(sink, b"x" * 100)
    await asyncio.sleep(4 * logs.GATHER_SECONDS)
    full.clear()
    os.write(sink, b"well again\n")
    os.close(sink)
    deadline = time.monotonic() + 10
    while not log.ended:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert log.path.read_text() == "(100 bytes could not be written here)\nwell again\n"
