"""Small programs that replace the six services, so that the launcher is tested without them."""

from pathlib import Path

import pytest

from launcher.services import SERVICES

STAND_IN = '''
"""Answers /readyz on its admin port until SIGTERM; leaves its environment behind."""
import http.server, json, os, pathlib, signal, sys

class Admin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
broken = pathlib.Path(__file__).with_name("broken")
if broken.exists() and broken.read_text() == os.environ["TRADE_INSTANCE"]:
    sys.exit("TRADE_MONGO__URL: no such thing")
seen = {name: value for name, value in os.environ.items() if name.startswith("TRADE_")}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(seen))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["TRADE_ADMIN__PORT"])), Admin).serve_forever()
'''


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins that child processes find before the real services."""
    folder = tmp_path / "stand-ins"
    folder.mkdir()
    for service in SERVICES:
        (folder / f"{service}.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder
