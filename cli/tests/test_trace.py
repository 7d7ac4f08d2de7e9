"""`trade trace` over HTTP: the shipment of an id, causes, and what is unknown."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

STEP: dict[str, Any] = {
    "id": "D-1/0.1",
    "type": "trade.declarations.declaration.accepted.v1",
    "text": "Declaration accepted under number 42 [bold]",
    "happened_at": {"utc": "2026-01-05 08:00:00Z", "local": "", "iso": "2026-01-05T08:00:00+00:00"},
    "expected_at": None,
    "retracted_by": "",
    "actor": "partner:port-qd",
    "cause": "P-1/0.1",
    "cause_row": "P-1/0.1",
    "cause_text": "Arrived",
    "topic": "declarations.events.v1",
    "conflicts": [],
    "warnings": [],
}
ESTIMATE = STEP | {
    "id": "P-0/0.1",
    "text": "Expected: arrival at CNTAO (port-qd)",
    "happened_at": None,
    "expected_at": {"utc": "2026-01-07 09:00:00Z"},
    "cause_row": "",
    "cause_text": "submission 7 of partner port-qd (source /port-qd)",
}
RETRACTED = STEP | {"id": "P-2/0.1", "text": "Gate-in at CNTAO (port-qd)", "retracted_by": "P-3/0.1"}
OBSTACLE: dict[str, Any] = {
    "waiting_for": "payment",
    "waiting_for_text": "Payment",
    "who_text": "The payer: CN-USCC:1",
    "since": {"utc": "2026-01-05 08:00:00Z"},
    "by": {"utc": "2026-01-20 16:00:00Z"},
    "detail": "Owed: 2 CNY",
    "failed": [],
}
HOLD = OBSTACLE | {
    "waiting_for": "hold_lift",
    "waiting_for_text": "The hold to be lifted",
    "who_text": "The agency: quarantine-qd",
    "by": None,
    "detail": "",
    "failed": ["Hold: quarantine"],
}
SITUATION: dict[str, Any] = {
    "obstacles": [HOLD, OBSTACLE],
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
    "lines": [{"item": "1", "tax_text": "duty", "formula": "1 × 2 = 2"}],
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
        asked = parse_qs(url.query)
        known = url.path == "/shipments" and asked["id"] == ["6CN1"]
        coverage = [{"topic": "gateway.events.v1", "conclusion": "no_data", "text": "behind"}]
        view = {
            "ucr": "6CN1",
            "known": known,
            "stale": [{"text": "As of 06:58, 40 s old: partners.events.v1 is not read to its end"}],
            "held": [{"text": "Platform: 5 reports held by declarations since 2026-01-05 07:00:00Z"}],
            "held_unknown": [{"text": "matching could not be asked"}],
            "situations": [SITUATION],
            "steps": [STEP, ESTIMATE, RETRACTED],
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
        assert (
            "waiting for: Payment (The payer: CN-USCC:1, since 2026-01-05 08:00:00Z, by 2026-01-20 16:00:00Z)" in shown
        )
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
        assert "not read to the end yet: gateway.events.v1" in result.stderr

    def test_every_obstacle_stands_in_a_line_of_its_own(self) -> None:
        lines = [line.strip() for line in _trace("L1").stdout.splitlines() if "waiting for" in line]
        assert len(lines) == 2
        assert lines[0].endswith("(The agency: quarantine-qd, since 2026-01-05 08:00:00Z)  [Hold: quarantine]")

    def test_what_is_held_back_and_what_is_not_current_stands_before_the_situation(self) -> None:
        lines = _trace("L1").stdout.splitlines()
        situation = next(number for number, line in enumerate(lines) if "Accepted" in line)
        told = " ".join(lines[:situation])
        assert "5 reports held by declarations since 2026-01-05 07:00:00Z" in told
        assert "As of 06:58, 40 s old" in told
        assert "matching could not be asked" in told

    def test_steps_have_their_day_and_an_estimate_has_the_day_it_expects(self) -> None:
        steps = [line for line in _trace("L1").stdout.splitlines() if line.startswith("2026-")]
        assert [line[:20] for line in steps] == ["2026-01-05 08:00:00Z", "2026-01-07 09:00:00Z", "2026-01-05 08:00:00Z"]
        assert "Expected: arrival" in steps[1]

    def test_a_step_that_was_taken_back_is_marked_with_what_takes_it_back(self) -> None:
        marked = [line for line in _trace("L1").stdout.splitlines() if "TAKEN BACK" in line]
        assert len(marked) == 1
        assert "Gate-in" in marked[0]
        assert marked[0].endswith("TAKEN BACK by P-3/0.1")

    def test_a_cause_that_has_no_row_is_told_in_words(self) -> None:
        shown = " ".join(_trace("L1").stdout.split())
        assert "because of submission 7 of partner port-qd" in shown

    @pytest.mark.parametrize("id_", ["..", ".", "x.html", "a/b", "a%2Fb", "?lang=de"])
    def test_any_id_reaches_tracking_as_it_is(self, id_: str) -> None:
        result = _trace(id_)
        assert result.exit_code == 1
        assert f"no event names {id_}" in result.stderr


def test_a_step_that_is_taken_back_while_it_is_followed_is_told_again() -> None:
    from trade_cli.trace import unseen  # noqa: PLC0415

    seen = set[str]()
    assert unseen({"steps": [STEP]}, seen) == [STEP]
    assert unseen({"steps": [STEP]}, seen) == []
    retracted = STEP | {"retracted_by": "P-3/0.1"}
    assert unseen({"steps": [retracted]}, seen) == [retracted]
