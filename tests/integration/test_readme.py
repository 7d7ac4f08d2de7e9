"""What the documents say is true: the README's commands do what is shown, and every link leads somewhere.

The commands run in a folder that looks like the checkout, with data and ports of its own.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
SECONDS = 300
MARK = "@@ block "

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"  # moments
    r"|\d\d:\d\d:\d\dZ"
    r"|\b[\d.]+ s\b"  # durations
    r"|127\.0\.0\.1:\d+"
    r"|process +\d+"
    r"|\b(?=\w*\d)[0-9A-Za-z]{12,}\b"  # ids
)

Block = tuple[str, list[str]]
"""Commands, and the lines shown below them."""


def blocks() -> list[Block]:
    """Every ```sh block, in order, with the ```text block that follows it.

    None is left out. The commands that are only named in a sentence are tried elsewhere or cannot be tried here:
    `make demo CRASH=1` in cli/tests/test_demo.py; `make test`, `make unit` and `make lint` run this very test
    or beside it; apt-get is for whoever lacks the packages.
    """
    found: list[Block] = []
    for language, body in _FENCE.findall(README.read_text(encoding="utf-8")):
        if language == "sh":
            found.append((body, []))
        elif language == "text" and found:
            found[-1][1].extend(line for line in body.splitlines() if line.strip(" …"))
    return found


def plain(line: str) -> str:
    """A line without what differs from run to run."""
    return " ".join(_VARYING.sub("#", line).split())


def shown_in(line: str, output: list[str]) -> bool:
    """Whether a line of the README, of which … was left out, stands in the output."""
    parts = [plain(part) for part in line.split("…") if part.strip()]
    return any(_in_order(parts, plain(each)) for each in output)


def _in_order(parts: list[str], text: str) -> bool:
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A folder with everything of the checkout but its run data."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != ".run":
            (folder / entry.name).symlink_to(entry)
    yield folder
    subprocess.run(["make", "down"], cwd=folder, env=_environment(folder), capture_output=True, check=False)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRADE_", "MAKE", "MFLAGS"))}
    return {**kept, "TRADE_RUN_DIR": str(folder / ".run")}


def test_the_commands_of_the_readme_do_what_is_shown(checkout: Path) -> None:
    script = "".join(f"echo '{MARK}{number}'\n{commands}\n" for number, (commands, _) in enumerate(blocks()))
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=_environment(checkout),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    outputs = [part.splitlines() for part in result.stdout.split(MARK)[1:]]
    missing = [
        line
        for (_, lines), output in zip(blocks(), outputs, strict=True)
        for line in lines
        if not shown_in(line, output)
    ]
    assert not missing, f"not in the output: {missing}\n{result.stdout[-6000:]}"


def test_a_line_that_is_not_in_the_output_is_seen() -> None:
    output = ["08:05:26Z  declarations  Goods released  partner:port-qd", "The shipment is closed. 16.1 s in all."]
    assert shown_in("09:11:12Z  declarations  Goods released  partner:port-qd", output)
    assert shown_in("The shipment …. 15.8 s in all.", output)
    assert not shown_in("08:05:26Z  declarations  Goods removed  partner:port-qd", output)
    assert not shown_in("The shipment is closed. … The shipment", output)


def documents() -> list[Path]:
    """The project's own Markdown files."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split() or [str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/*.md")]
    return [README, *(ROOT / name for name in names if name != README.name and (ROOT / name).exists())]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [each.partition("#")[0] for each in _LINK.findall(_FENCE.sub("", text)) if "://" not in each]
    broken = [each for each in targets if each and not (document.parent / each).exists()]
    assert not broken


def test_every_file_that_a_change_touches_is_where_the_readme_says() -> None:
    text = README.read_text(encoding="utf-8")
    (short,) = re.findall(r"`D` stands for `([^`]+)`", text)
    named = {f"{short}/{name}" for name in re.findall(r"`D/([\w/]+(?:\.py|/))`", text)}
    named |= set(re.findall(r"`((?:libs|services|docs|cli)/[\w./]+)`", text))
    assert len(named) > 8
    assert not [each for each in sorted(named) if not (ROOT / each).exists()]


def test_every_test_that_the_invariants_name_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/architecture/invariants.md").read_text(encoding="utf-8")))
    folders = ("libs", "services", "tests")
    tests = [file for folder in folders for file in (ROOT / folder).rglob("test_*.py")]
    there = {name for file in tests for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))}
    assert len(named) > 15
    assert named <= there


def test_the_readme_stays_readable() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250
