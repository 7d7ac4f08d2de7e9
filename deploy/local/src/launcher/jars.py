"""Apache Kafka's published jars, fetched by Maven once per user.

The cache folder appears by one atomic rename, so that two concurrent runs both end with complete jars.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from launcher.failures import LauncherError, explain
from launcher.layout import cache_root
from launcher.processes import Child
from launcher.progress import Report, step

KAFKA_VERSION = "4.1.0"
JAVA_WANTED = 17
FETCH_SECONDS = 600.0

_POM = Path(__file__).with_name("kafka-pom.xml")
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def find_java() -> Path | None:
    """A recent enough Java runtime: from `JAVA_HOME`, otherwise on the path."""
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home) / "bin" / "java"] if home else []
    found = shutil.which("java")
    candidates += [Path(found)] if found else []
    return next((java for java in candidates if _java_version(java) >= JAVA_WANTED), None)


def jars_folder() -> Path:
    return cache_root() / f"kafka-{KAFKA_VERSION}"


def what_is_missing() -> str | None:
    """What is missing to run Kafka from its jars, in words; None if nothing."""
    missing = []
    if find_java() is None:
        missing.append(f"Java {JAVA_WANTED} or newer (Debian: apt-get install openjdk-17-jre-headless)")
    if not jars_folder().exists() and shutil.which("mvn") is None:
        missing.append("Maven (Debian: apt-get install maven)")
    return " and ".join(missing) or None


async def fetch_jars(report: Report, log: Path) -> Path:
    """The folder of the jars; fetched if it is missing.

    Raises:
        LauncherError: Maven is missing or failed.
    """
    target = jars_folder()
    if target.exists():
        return target
    maven = shutil.which("mvn")
    if maven is None:
        raise LauncherError("Maven is missing: install it (Debian: apt-get install maven).")
    fresh = _empty_folders(target, log)
    try:
        async with step(report, f"Fetching Apache Kafka {KAFKA_VERSION} by Maven (54 MB)"):
            await _run_maven(maven, fresh, log)
        _publish(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _empty_folders(target: Path, log: Path) -> Path:
    """Create a fresh folder next to the target, and remove the log of earlier tries."""
    try:
        log.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    except OSError as error:
        raise explain(error) from error


async def _run_maven(maven: str, fresh: Path, log: Path) -> None:
    options = ["--batch-mode", "--no-transfer-progress", "--strict-checksums", "--file", str(_POM)]
    command = [maven, *options, _PLUGIN, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
    child = Child("Maven", command, log=log, environment=os.environ)
    child.start()
    try:
        status = await child.finished()
    finally:
        await child.kill()
    if status != 0:
        raise LauncherError(f"Maven could not fetch Kafka (status {status}): {first_error(log)} (log: {log})")


def first_error(log: Path) -> str:
    """Maven's first error; its last lines are only advice about options."""
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in lines if line.startswith("[ERROR]")), "it said nothing")[:300]


def _publish(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError as error:
        if not target.exists():  # otherwise another run was first, and its jars will do
            raise explain(error) from error


def _java_version(java: Path) -> int:
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', run.stderr + run.stdout)
    return int(match[1]) if match else 0
