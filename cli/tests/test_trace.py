"""`trade trace` over HTTP: the one shipment of an id, causes, and what is not known."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

STEP: dict[str, Any] = {
    "id": "D-1/0.1",
    "type": "trade.declarations.declaration.accepted.v1",
    "text": "Declaration accepted under number 42 [bold]",
    "happened_at": {"utc": "2026-01-05 08:00:00Z", "local": "", "iso": "2026-01-05T08:00:00+00:00"},
    "actor": "partner:port-qd",
    "cause": "P-1/0.1",
    "topic": "declarations.events.v1",
    "conflicts": [],
}
SITUATION: dict[str, Any] = {
    "declaration_number": "42",
    "lrn": "L1",
    "where": "accepted",
    "where_text": "Accepted",
    "waiting_for": "payment",
    "waiting_for_text": "Payment",
    "who_text": "The payer",
    "by": {"utc": "2026-01-20 16:00:00Z"},
    "failed": [],
}

DUTY: dict[str, Any] = {
    "lines": [{"item": "1", "tax": "duty", "formula": "1 × 2 = 2"}],
    "total": "2 CNY",
    "payment_reference": "RF1800000000539007547034",
}


class Desk(BaseHTTPRequestHandler):
    """A tracking that knows one shipment."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/search":
            query = parse_qs(url.query)["q"][0]
            threads = {"6CN1": ["6CN1"], "L1": ["6CN1"], "BOX": ["6CN1", "6CN2"]}.get(query, [])
            return self._say({"results": [{"thread": each} for each in threads]})
        known = unquote(url.path) == "/shipments/6CN1"
        coverage = [{"topic": "gateway.events.v1", "conclusion": "no_data", "text": "behind"}]
        view = {
            "ucr": "6CN1",
            "known": known,
            "situations": [SITUATION],
            "steps": [STEP],
            "duties": [DUTY],
            "notices": [],
            "spans": [],
            "coverage": coverage,
        }
        return self._say(view, 200 if known else 404)

    def _say(self, content: dict[str, Any], status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's signature
        return


@pytest.fixture
def platform_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "password").write_text("a long enough password")
    description = {
        "name": "test",
        "kafka": "",
        "mongo_url": "",
        "database": "",
        "keys_dir": str(tmp_path),
        "gateway_url": "",
        "tracking_url": f"http://127.0.0.1:{server.server_port}",
        "tracking_password_file": str(tmp_path / "password"),
    }
    (tmp_path / "platform.json").write_text(json.dumps(description))
    monkeypatch.setenv("TRADE_PLATFORM", str(tmp_path / "platform.json"))
    yield
    server.shutdown()
    server.server_close()


def _trace(*arguments: str) -> Any:
    from typer.testing import CliRunner  # noqa: PLC0415

    from trade_cli.main import app  # noqa: PLC0415

    return CliRunner().invoke(app, ["trace", *arguments])


@pytest.mark.usefixtures("platform_file")
class TestTrace:
    def test_any_exact_id_leads_to_its_shipment(self) -> None:
        for query in ("6CN1", "L1"):
            result = _trace(query, "--json")
            assert result.exit_code == 0, result.output
            assert json.loads(result.stdout)["ucr"] == "6CN1"

    def test_it_shows_causes_situation_duty_and_what_is_not_known(self) -> None:
        shown = " ".join(_trace("L1").stdout.split())
        assert "because of P-1/0.1" in shown
        assert "waiting for: Payment (The payer, by 2026-01-20 16:00:00Z)" in shown
        assert "1 × 2 = 2" in shown
        assert "to be paid under RF1800000000539007547034" in shown
        assert "gateway.events.v1: behind" in shown
        assert "[bold]" in shown

    def test_an_id_of_several_shipments_names_them(self) -> None:
        result = _trace("BOX")
        assert result.exit_code == 1
        assert "6CN1, 6CN2" in result.stderr

    def test_an_unknown_id_says_whether_all_was_read(self) -> None:
        result = _trace("nothing")
        assert result.exit_code == 1
        assert "not all is read yet: gateway.events.v1" in result.stderr
