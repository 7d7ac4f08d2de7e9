"""Describes the machine of a measurement."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from launcher.infrastructure import Infrastructure

ROOT = Path(__file__).parents[2]


def describe(servers: Infrastructure) -> dict[str, Any]:
    """Cores, memory, processor, interpreter, servers and commit."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": name(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "database": servers.database.kind,
        "secantusd-rs": "on the path" if shutil.which("secantusd-rs") else "not on this machine",
        "kafka": servers.kafka.kind,
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "load_before": load(),
    }


def load() -> float:
    """Load average of the last minute; a load before the start means that other processes were running."""
    return round(os.getloadavg()[0], 2)


def name() -> str:
    """A short name of this kind of machine for file names; not its host name."""
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cores".lower()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
