"""Renders every overlay into `rendered/`, so that a difference shows what a change of the sources does.

Each rendered file begins with a hash of what it was rendered from: whether it is up to date can be said without
kustomize (`--check`), and where kubectl or kustomize is there the rendering itself is compared.

Usage: python deploy/k8s/render.py --write | --check
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
RENDERED = HERE / "rendered"


def overlays() -> list[str]:
    """The names of all overlays."""
    return sorted(folder.name for folder in (HERE / "overlays").iterdir() if folder.is_dir())


def sources() -> Iterator[Path]:
    """Every file that an overlay may be rendered from."""
    for folder in ("namespace", "base", "components", "overlays"):
        yield from sorted(path for path in (HERE / folder).rglob("*") if path.is_file())


@cache
def first_line() -> str:
    """What every rendered file begins with."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(HERE).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"# Rendered by `make manifests` from sources with the hash {digest.hexdigest()}\n"


def renderer() -> Sequence[str] | None:
    """The command that renders a folder; None where there is none."""
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    return ("kubectl", "kustomize") if shutil.which("kubectl") else None


def render(command: Sequence[str], overlay: str) -> str:
    """What an overlay's rendered file should be."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, str(HERE / "overlays" / overlay)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{overlay} is not rendered: {done.stderr.strip()}")
    return first_line() + done.stdout


def faults() -> list[str]:
    """Which rendered files are not what their sources give, a line each."""
    command, found = renderer(), []
    for overlay in overlays():
        file = RENDERED / f"{overlay}.yaml"
        text = file.read_text() if file.exists() else ""
        if not text.startswith(first_line()) or (command and text != render(command, overlay)):
            found.append(f"deploy/k8s/rendered/{overlay}.yaml is not what its sources give; run `make manifests`")
    known = {f"{overlay}.yaml" for overlay in overlays()}
    there = {path.name for path in RENDERED.iterdir()}
    return found + [f"deploy/k8s/rendered/{name}: no such overlay" for name in sorted(there - known)]


def main() -> int:
    if "--write" in sys.argv[1:]:
        command = renderer()
        if command is None:
            print("Missing: kustomize or kubectl. Install one of them.", file=sys.stderr)
            return 1
        RENDERED.mkdir(exist_ok=True)
        for overlay in overlays():
            (RENDERED / f"{overlay}.yaml").write_text(render(command, overlay))
        return 0
    found = faults()
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
