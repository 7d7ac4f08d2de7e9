"""Two files of one folder are told apart by what they are about, not by a letter or an ending."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENDINGS = {"s", "es", "d", "ed", "r", "er", "ing"}


def alike(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names that differ by one letter or by an ending; a module and the test of it are no pair."""
    for one, other in combinations(sorted(set(names)), 2):
        short, long = sorted((one, other), key=len)
        if (long.startswith(short) and long[len(short) :] in ENDINGS) or _is_one_letter_off(short, long):
            yield one, other


def _is_one_letter_off(short: str, long: str) -> bool:
    at = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _modules(files: Iterator[Path]) -> list[str]:
    return [path.stem for path in files if not path.name.startswith(("__", "test_"))]


@pytest.mark.parametrize("home", ["libs", "services", "cli", "deploy", "tests"])
def test_no_two_files_of_a_folder_differ_by_a_letter_or_an_ending(home: str) -> None:
    folders = {path.parent for path in (ROOT / home).rglob("*.py")}
    assert folders
    assert {
        str(each.relative_to(ROOT)): found for each in folders if (found := list(alike(_modules(each.glob("*.py")))))
    } == {}


def test_nor_do_any_two_files_of_the_tests_that_break_the_platform() -> None:
    assert list(alike(_modules((ROOT / "tests" / "chaos").rglob("*.py")))) == []


def test_a_pair_is_seen() -> None:
    names = ["sabotage", "sabotaged", "world", "worlds", "servers", "services", "parse", "parser", "log", "lag", "cut"]
    assert set(alike(names)) == {
        ("sabotage", "sabotaged"), ("world", "worlds"), ("parse", "parser"), ("lag", "log"),
    }  # fmt: skip
