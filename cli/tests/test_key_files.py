"""A key file that a reader of the README creates in the checkout is never committed."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")]


def test_every_key_file_that_the_documents_name_is_ignored() -> None:
    named = {name for each in DOCUMENTS for name in re.findall(r"--key-file (\S+)", each.read_text(encoding="utf-8"))}
    assert "port.key" in named
    command = ["git", "-C", str(ROOT), "check-ignore", *sorted(named)]
    ignored = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(ignored) == named
