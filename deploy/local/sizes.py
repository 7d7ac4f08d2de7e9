"""How long files and functions of production code may be, so that each can be read at one sitting.

    .venv/bin/python deploy/local/sizes.py [FILE ...]     # without files: the code of all services, libraries, commands

A file has one subject, a function one thought: what exceeds the bound is cut by subject, not by line count. Medians are
bounded too, so that the whole cannot creep up to the bounds. Generated code and tests are not judged.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CODE = (
    "services/*/src/**/*.py",
    "libs/*/src/**/*.py",
    "cli/src/**/*.py",
    "deploy/local/src/**/*.py",
    "deploy/*/*.py",
)
GENERATED = ROOT / "libs/rpc/src"

FILE_LINES, FUNCTION_LINES = 250, 40
MEDIAN_FILE_LINES, MEDIAN_FUNCTION_LINES = 100, 6


class Sizes(NamedTuple):
    """What one file measures."""

    lines: int
    functions: Mapping[str, int]
    """`line: name` → lines from `def` to the end; what is defined inside counts too."""


def measure(source: str) -> Sizes:
    """The sizes of a file's text."""
    functions = {
        f"{node.lineno}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return Sizes(len(source.splitlines()), functions)


def too_long(sizes: Mapping[str, Sizes]) -> Iterator[str]:
    """What exceeds a bound, by file name."""
    for name, found in sizes.items():
        if found.lines > FILE_LINES:
            yield f"{name}: {found.lines} lines, at most {FILE_LINES}: split it by subject"
        for function, lines in found.functions.items():
            if lines > FUNCTION_LINES:
                yield f"{name}:{function} has {lines} lines, at most {FUNCTION_LINES}"


def medians_exceeded(sizes: Mapping[str, Sizes]) -> Iterator[str]:
    """Which medians over all files exceed their bounds."""
    files = [each.lines for each in sizes.values() if each.lines]
    functions = [lines for each in sizes.values() for lines in each.functions.values()]
    for what, found, bound in (
        ("file", files, MEDIAN_FILE_LINES),
        ("function", functions, MEDIAN_FUNCTION_LINES),
    ):
        if found and median(found) > bound:
            yield f"the median {what} has {median(found):g} lines, at most {bound}"


def main(arguments: list[str]) -> int:
    paths = [Path(each).resolve() for each in arguments] or sorted(
        path for pattern in CODE for path in ROOT.glob(pattern) if not path.is_relative_to(GENERATED)
    )
    sizes = {path.relative_to(ROOT).as_posix(): measure(path.read_text(encoding="utf-8")) for path in paths}
    found = [*too_long(sizes), *(() if arguments else medians_exceeded(sizes))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
