"""Observes and controls other processes: whether one is stopped, stopping it for a while, its memory."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def stands_still(pid: int | None) -> bool:
    """Whether a process is stopped by SIGSTOP; a dead one is not."""
    try:
        return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process (SIGSTOP): it exists and does not answer. It is always thawed afterwards."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def memory_bytes(pid: int) -> int:
    """A process's current memory."""
    return int(psutil.Process(pid).memory_info().rss)


def peak_bytes(pid: int) -> int:
    """A process's peak memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
