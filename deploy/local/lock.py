"""The lock file: resolved with hashes by `--write`, checked offline by `--check`.

The check follows the requirements of `requirements.in` through the declared dependencies of the installed packages,
with markers and extras, and compares the result with the lock. So it detects a line that was added, removed or
narrowed without resolving again, and a lock edited by hand. The lock contains no URLs: it says what to install, never
from where.

Usage: python deploy/local/lock.py --check | --write
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
WANTED = ROOT / "requirements.in"
LOCK = ROOT / "requirements.lock"

_COMPILE = [
    *("pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.11"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"),
]


def wanted() -> list[Requirement]:
    """The project's direct requirements."""
    lines = (line.split("#")[0].strip() for line in WANTED.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked(text: str) -> Iterator[tuple[str, str, Marker | None, int]]:
    """Each entry of the lock: name, version, marker, number of hashes."""
    for entry in re.sub(r"\\\n", " ", text).splitlines():
        if match := re.match(r"([\w.-]+)==(\S+)(?:\s*;\s*(.*?))?(?=\s+--hash|\s*$)", entry):
            marker = Marker(match[3]) if match[3] else None
            yield canonicalize_name(match[1]), match[2], marker, entry.count("--hash=sha256:")


def reached(requirements: list[Requirement]) -> dict[str, list[Requirement]]:
    """Every package needed on this machine, with the requirements on it.

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    found: dict[str, list[Requirement]] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(requirement, "") for requirement in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        for wanted_extra in ("", *requirement.extras):
            if (name, wanted_extra) not in seen:
                seen.add((name, wanted_extra))
                todo += [(Requirement(line), wanted_extra) for line in distribution(name).requires or ()]
    return found


def faults() -> list[str]:
    """The faults of the lock, one line each."""
    text = LOCK.read_text()
    found = [f"line {number} contains a URL" for number, line in enumerate(text.splitlines(), 1) if "://" in line]
    entries = list(locked(text))
    found += [f"{name}=={version} has no hash" for name, version, _, hashes in entries if hashes == 0]
    here = {name: version for name, version, marker, _ in entries if marker is None or marker.evaluate()}
    try:
        needed = reached(wanted())
    except PackageNotFoundError as error:
        return [*found, f"{error.name} is required but neither locked nor installed"]
    found += [f"{name} is needed but not locked" for name in needed if name not in here]
    found += [f"{name} is locked but nothing needs it" for name in here if name not in needed]
    for name, requirements in needed.items():
        version = here.get(name)
        if version is None:
            continue
        if (installed := distribution(name).version) != version:
            found.append(f"{name} is locked at {version}, installed is {installed}")
        found += [
            f"{name}=={version} does not meet the requirement {requirement}"
            for requirement in requirements
            if not requirement.specifier.contains(version, prereleases=True)
        ]
    return found


def main() -> int:
    if "--write" in sys.argv[1:]:
        uv = str(Path(sys.executable).with_name("uv"))
        return subprocess.run([uv, *_COMPILE, WANTED.name, "-o", LOCK.name], cwd=ROOT, check=False).returncode  # noqa: S603
    found = faults()
    for fault in found:
        print(f"requirements.lock: {fault}; run `make lock`")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
