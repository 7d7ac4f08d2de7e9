"""Processes from outside: does one stand still, let it stand still for a while, how much memory has it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def stands_still(pid: int | None) -> bool:
    """Whether a process was stopped by SIGSTOP; one that is gone was not."""
    try:
        return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process stands still (SIGSTOP): it is there and does not answer. It is thawed whatever happens."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def memory_bytes(pid: int) -> int:
    """What a process has in memory now."""
    return int(psutil.Process(pid).memory_info().rss)


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
