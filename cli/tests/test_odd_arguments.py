"""Wrong arguments and wrong files end in one line, without a stack and without showing a key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "trade_abc_geheim"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A platform file, a submission, and files that are not keys."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "declaration.json").write_text("{}")
    (tmp_path / "good.key").write_text(KEY)
    away = "http://127.0.0.1:1"
    description = {"name": "t", "kafka": "127.0.0.1:1", "mongo_url": "mongodb://127.0.0.1:1", "database": "d"}
    description |= {"keys_dir": str(tmp_path / "keys"), "gateway_url": away, "tracking_url": away}
    description |= {"tracking_password_file": str(tmp_path / "binary")}
    (tmp_path / "platform.json").write_text(json.dumps(description))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["send", "declaration", "declaration.json", "--key-file", "binary"], "contains no key"),
        (["send", "declaration", "declaration.json", "--key", "ключ"], "contains no key"),
        (["send", "declaration", "declaration.json", "--key", f"{KEY}\nx"], "contains no key"),
        (["send", "declaration", "declaration.json", "--key-file", "good.key", "--id", "номер"], "--id takes"),
        (["send", "declaration", "declaration.json", "--key-file", "good.key", "--id", "a\nb"], "--id takes"),
        (
            ["send", "declaration", "declaration.json", "--key-file", "good.key", "--lang", "русский"],
            "Invalid value for '--lang'",
        ),
        (["registry", "show", b"KZ-BIN:\xff"], "characters that are not allowed there"),
        (["trace", "6CN1"], "characters that are not allowed there"),
        (["keys", "issue", "port-x", "--role", "port", "--days", "4000000"], "--days"),
    ],
)
def test_odd_arguments_are_told_in_words(folder: Path, arguments: list[str | bytes], words: str) -> None:
    command = [sys.executable, "-m", "trade_cli.main", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", "PYTHONUTF8": "1"}
    environment |= {"TRADE_PLATFORM": str(folder / "platform.json")}
    result = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, timeout=60, check=False
    )
    assert result.returncode in (1, 2)
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert KEY not in result.stdout + result.stderr
