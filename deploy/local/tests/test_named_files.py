"""Every source file that a document names exists: moving a file fails the test, which lists the documents."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = ("README.md", "docs/**/*.md", "*/README.md", "*/*/README.md")
"""The changelog is left out: it names former files."""
SOURCE = (".py", ".toml", ".sh", ".proto")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"[\w.*{},/-]*\w[\w*}]*\.(?:py|toml|sh|proto)")


def _documents() -> list[Path]:
    found = {path for pattern in DOCUMENTS for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not path.relative_to(ROOT).parts[0].startswith("."))


def _source_files() -> list[str]:
    folders = ("libs", "services", "cli", "deploy", "proto", "tests")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SOURCE)
    return ["pyproject.toml", *(str(path.relative_to(ROOT)) for path in files)]


def names_of_files(text: str) -> Iterator[str]:
    """Every source file that a document names in code, with `{a,b}` and the shorthand `D` written out."""
    short = re.search(r"`D` stands for `([^`]+)`", text)
    for span in _CODE.findall(_FENCE.sub("", text)):
        for name in filter(_FILE.fullmatch, (word.strip(",;:()") for word in span.split())):
            start, _, rest = name.partition("{")
            choices, _, end = rest.partition("}")
            for full in [start + choice + end for choice in choices.split(",")]:
                yield f"{short[1]}/{full[2:]}" if short and full.startswith("D/") else full


def missing_files(document: str, text: str, files: Sequence[str]) -> list[str]:
    """Names in a document that match no source file; short names in a service's README mean its own or shared files."""
    home = document.rpartition("/")[0]
    others = "services/" if home.startswith("services/") else "-"
    near = [each for each in files if not each.startswith(others) or each.startswith(f"{home}/")]
    return [
        name
        for name in names_of_files(text)
        if not any(fnmatchcase(each, name) for each in files)
        and not any(fnmatchcase(each, f"*/{name}") for each in near)
    ]


def test_every_source_file_that_a_document_names_is_there() -> None:
    files = _source_files()
    texts = {str(each.relative_to(ROOT)): each.read_text(encoding="utf-8") for each in _documents()}
    assert sum(len(list(names_of_files(text))) for text in texts.values()) > 100
    assert not {name: gone for name, text in texts.items() if (gone := missing_files(name, text, files))}


def test_a_file_that_was_moved_is_missed() -> None:
    files = ["services/a/src/a/firms/handlers.py", "services/b/src/b/store.py", "libs/c/src/c/clock.py"]
    text = "`firms/handlers.py`, `{clock,handlers}.py`; `store.py`, `a/handlers.py` and `clock.py:7`"
    assert missing_files("services/a/README.md", text, files) == ["store.py", "a/handlers.py"]
    assert missing_files("docs/x.md", text, files) == ["a/handlers.py"]
