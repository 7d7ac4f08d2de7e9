"""Builds the images with buildah or docker, whichever is there, and asks no image registry but for the base.

Writes `deploy/images.lock` (name, digest, base) and a bill of materials beside each prepared context in `dist/images`.

Usage: python deploy/images/build.py [--base IMAGE] [--only NAME ...]
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lock import ROOT

import sbom
from contents import IMAGES, Image, requirements
from launcher import jars, kafka

BASE = "docker.io/library/python:3.11-slim-bookworm"
REGISTRY = "trade.invalid"
"""No such domain can exist: an image that is not there is fetched from nobody."""
PREPARED = ROOT / "dist" / "images"
IMAGES_LOCK = ROOT / "deploy" / "images.lock"
HERE = Path(__file__).parent
KAFKA = "kafka"


class NotBuilt(Exception):
    """Why there is no image, in one line."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built."""

    name: str
    reference: str
    digest: str
    base: str
    bytes: int


def version() -> str:
    """The version of the platform: all its packages carry the same."""
    project = tomllib.loads((ROOT / "services" / "registry" / "pyproject.toml").read_text())
    return str(project["project"]["version"])


def revision() -> str:
    """The commit, marked where the tree differs from it."""
    said = _output("git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty", "--match=")
    return said or "unknown"


class Builder:
    """buildah or docker, by one interface."""

    def __init__(self) -> None:
        found = next((tool for tool in ("buildah", "docker") if shutil.which(tool)), None)
        if found is None:
            raise NotBuilt("Missing: buildah or docker. Install one of them (Debian: apt-get install buildah).")
        self.tool = found

    def base(self, name: str) -> str:
        """The base with its digest; fetched where it is not here."""
        if self.tool == "docker":
            if not _output("docker", "image", "inspect", "-f", "{{.Id}}", name):
                _run("docker", "pull", "--quiet", name)
            digests = _output("docker", "image", "inspect", "-f", '{{join .RepoDigests " "}}', name).split()
            return digests[0] if digests else name
        if not _output("buildah", "images", "-q", name):
            _run("buildah", "pull", "--quiet", name)
        digest = json.loads(_output("buildah", "images", "--json", name))[0]["digest"]
        return f"{name.rpartition(':')[0]}@{digest}"

    def build(self, context: Path, target: str, reference: str, arguments: dict[str, str]) -> None:
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        common = [*given, "--target", target, "-t", reference, "-f", str(HERE / "Dockerfile"), str(context)]
        if self.tool == "docker":
            _run("docker", "build", "--quiet", *common)
        else:
            # One time for every file: the same contents give the same layers.
            _run("buildah", "bud", "--quiet", "--pull-never", "--network=host", "--timestamp=0", *common)

    def describe(self, reference: str) -> tuple[str, int]:
        """(digest, bytes) of an image."""
        if self.tool == "docker":
            shown = json.loads(_output("docker", "image", "inspect", reference))[0]
            return shown["Id"], shown["Size"]
        shown = json.loads(_output("buildah", "inspect", "--type", "image", reference))
        return shown["FromImageDigest"], self._bytes(reference)

    def packages(self, reference: str) -> str:
        """The system's packages of an image, a line each."""
        asking = ["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\n"]
        if self.tool == "docker":
            return _output("docker", "run", "--rm", "--entrypoint", asking[0], reference, *asking[1:])
        container = _output("buildah", "from", "--pull-never", reference)
        try:
            return _output("buildah", "run", container, "--", *asking)
        finally:
            _output("buildah", "rm", container)

    def _bytes(self, reference: str) -> int:
        """Of the files that its containers see."""
        container = _output("buildah", "from", "--pull-never", reference)
        try:
            return int(_output("du", "-sxb", _output("buildah", "mount", container)).split()[0])
        finally:
            _output("buildah", "umount", container)
            _output("buildah", "rm", container)


def build_python(builder: Builder, base: str, image: Image) -> Built:
    """A service, or the parts for trying out."""
    needed = requirements(image)
    folder = _fresh(image.name)
    (folder / "contents").mkdir()
    (folder / "locked.txt").write_text(needed)
    _install(folder / "contents" / "python", folder / "locked.txt", image.packages)
    start = folder / "contents" / "start"
    named = f"-m {image.starts[0]}" if len(image.starts) == 1 else "-m"
    start.write_text(f'#!/bin/sh\nexec python3 {named} "$@"\n')
    start.chmod(0o755)
    check = "; ".join(f"import {each if '.' in each else each + '.app'}" for each in image.starts)
    own = [package.rpartition("/")[2] for package in image.packages]
    components = [*sbom.of_lock(needed), *sbom.of_own(own, version())]
    return _built(builder, base, image.name, folder, "python", {"CHECK": check}, components)


async def _jars() -> Path:
    return await jars.fetch_jars(print, PREPARED / "maven.log")


def build_kafka(builder: Builder, base: str) -> Built:
    """One node of Kafka from its published jars."""
    folder = _fresh(KAFKA)
    target = folder / "kafka"
    PREPARED.mkdir(parents=True, exist_ok=True)
    (target / "jars").mkdir(parents=True)
    for jar in sorted(asyncio.run(_jars()).glob("*.jar")):  # the cache is its owner's alone, the image is anybody's
        shutil.copyfile(jar, target / "jars" / jar.name)
    shutil.copy(HERE / "kafka-start", target / "start")
    (target / "start").chmod(0o755)
    settings = kafka.SETTINGS | {
        "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093",
        "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
        "log.dirs": "/data/kafka",
    }
    (target / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return _built(builder, base, KAFKA, folder, "kafka", {}, list(sbom.of_jars(target / "jars")))


def _built(
    builder: Builder,
    base: str,
    name: str,
    context: Path,
    target: str,
    arguments: dict[str, str],
    components: Sequence[sbom.Component],
) -> Built:
    started = time.monotonic()
    reference = f"{REGISTRY}/{name}:{version()}"
    labels = {"BASE": base, "TITLE": f"trade {name}", "VERSION": version(), "REVISION": revision()}
    builder.build(context, target, reference, labels | arguments)
    digest, size = builder.describe(reference)
    document = sbom.bill(name, version(), [*components, *sbom.of_debian(builder.packages(reference))])
    (PREPARED / f"{name}.cdx.json").write_text(json.dumps(document, indent=1) + "\n")
    took = time.monotonic() - started
    print(f"{reference}: {size / 2**20:.0f} MB, {len(document['components'])} components, {took:.0f} s", flush=True)
    return Built(name, reference, digest, base, size)


def _install(target: Path, locked: Path, packages: Iterable[str]) -> None:
    """The locked packages by hash, then our own without any network."""
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--quiet", "--no-deps", "--target", str(target), "--link-mode=copy"]
    kind = [f"--python-platform={platform.machine()}-unknown-linux-gnu", "--python-version=3.11"]
    _run(uv, "pip", "install", *options, *kind, "--require-hashes", "-r", str(locked))
    own = [str(ROOT / package) for package in packages]
    _run(uv, "pip", "install", *options, "--offline", "--no-build-isolation", *own)


def _fresh(name: str) -> Path:
    folder = PREPARED / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_lock(built: Sequence[Built]) -> None:
    """What was built in this run takes the place of what was known of it."""
    known: dict[str, Any] = json.loads(IMAGES_LOCK.read_text()) if IMAGES_LOCK.exists() else {}
    known |= {
        each.name: {"image": each.reference, "digest": each.digest, "base": each.base, "bytes": each.bytes}
        for each in built
    }
    IMAGES_LOCK.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603 - our own
    if done.returncode != 0:
        raise NotBuilt(f"{' '.join(command[:3])} failed: {(done.stderr or done.stdout).strip()[-1500:]}")


def _output(*command: str) -> str:
    """What a command prints; empty where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> int:
    names = [*(image.name for image in IMAGES), KAFKA]
    parser = argparse.ArgumentParser(description="Build the images.")
    parser.add_argument("--base", default=os.environ.get("IMAGE_BASE", BASE), help=f"a base with Python 3.11; {BASE}")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="which images")
    given = parser.parse_args()
    try:
        builder = Builder()
        base = builder.base(given.base)
        built = [build_python(builder, base, image) for image in IMAGES if image.name in given.only]
        built += [build_kafka(builder, base)] if KAFKA in given.only else []
    except NotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    write_lock(built)
    return 0


if __name__ == "__main__":
    sys.exit(main())
