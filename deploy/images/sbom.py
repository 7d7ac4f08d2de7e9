"""A software bill of materials for each image (CycloneDX 1.6): Python packages from the lock, others as found in it."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from lock import locked

Component = dict[str, Any]

SHORT = 80
"""Some packages have the whole text of their licence where its name belongs."""


def bill(name: str, version: str, components: Iterable[Component]) -> dict[str, Any]:
    """The document of one image. It holds no time and no serial number: the same contents give the same bill."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": name, "name": name, "version": version}},
        "components": sorted(components, key=lambda each: str(each["bom-ref"])),
    }


def of_lock(requirements: str) -> Iterator[Component]:
    """Every package of a part of the lock, with the hashes that the lock allows."""
    hashes = {
        match[1]: re.findall(r"--hash=sha256:([0-9a-f]{64})", match[0])
        for match in re.finditer(r"^([\w.-]+)==(?:.*\\\n)*.*$", requirements, flags=re.MULTILINE)
    }
    for name, version, marker, _ in locked(requirements):
        if marker is None or marker.evaluate():
            yield _component(f"pkg:pypi/{name}@{version}", name, version, _licence(name), hashes.get(name, []))


def of_own(names: Iterable[str], version: str) -> Iterator[Component]:
    """Packages of this repository."""
    for name in names:
        yield _component(f"pkg:generic/trade-{name}@{version}", f"trade-{name}", version)


def of_debian(listed: str) -> Iterator[Component]:
    """The system's packages, as `dpkg-query -W -f '${Package} ${Version} ${Architecture}\\n'` lists them."""
    for line in listed.splitlines():
        name, version, architecture = line.split()
        yield _component(f"pkg:deb/debian/{name}@{version}?arch={architecture}", name, version)


def of_jars(folder: Path) -> Iterator[Component]:
    """Jar files, by name, version and content."""
    for file in sorted(folder.glob("*.jar")):
        match = re.fullmatch(r"(?P<name>.+?)-(?P<version>\d[\w.-]*)\.jar", file.name)
        name, version = (match["name"], match["version"]) if match else (file.stem, "unknown")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        yield _component(f"pkg:generic/{name}@{version}?type=jar", name, version, hashes=[digest])


def _component(purl: str, name: str, version: str, licence: str = "", hashes: Iterable[str] = ()) -> Component:
    found: Component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if licence:
        found["licenses"] = [{"license": {"name": licence}}]
    if contents := [{"alg": "SHA-256", "content": each} for each in hashes]:
        found["hashes"] = contents
    return found


def _licence(name: str) -> str:
    """What the installed package says of its licence; empty where it says nothing short."""
    try:
        known = metadata(name)
    except PackageNotFoundError:
        return ""
    said = str(known["License-Expression"] or known["License"] or "")
    return said if len(said) < SHORT and "\n" not in said else ""
