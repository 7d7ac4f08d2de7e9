"""A refusal is a log line and a count, by problem and caller, without secrets."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def counted(problem: str, by: str) -> float:
    return REGISTRY.get_sample_value("trade_refusals_total", {"problem": problem, "by": by}) or 0.0


async def test_a_caller_without_a_valid_key_is_counted_as_nobody(gateway: Any) -> None:
    secret = f"trade_{'ab' * 6}_{'S' * 43}"
    for problem, headers in (("key-missing", {}), ("key-invalid", {"Authorization": f"Bearer {secret}"})):
        before = counted(problem, "nobody")
        with capture_logs() as lines:
            await gateway.http.get("/v1/quarantine", headers=headers)
        assert counted(problem, "nobody") == before + 1
        (line,) = [each for each in lines if each["event"] == "request_refused"]
        assert (line["problem"], line["status"], line["by"], line["door"]) == (
            problem,
            401,
            "nobody",
            "GET /v1/quarantine",
        )
        assert "S" * 43 not in str(lines)
        assert "ab" * 6 not in str(lines)


@pytest.mark.parametrize(
    ("problem", "sent"),
    [
        ("invalid-event", {"json": {}, "headers": CLOUDEVENT}),
        ("media-type-not-read", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
        ("too-large", {"content": b" " * 1_100_000, "headers": CLOUDEVENT}),
        ("json-malformed", {"content": b"{", "headers": CLOUDEVENT}),
    ],
)
async def test_a_partners_refusals_are_counted_under_its_code(gateway: Any, problem: str, sent: dict[str, Any]) -> None:
    before = counted(problem, "partner:port-qd")
    headers = gateway.partner() | sent.pop("headers")
    with capture_logs() as lines:
        await gateway.http.post("/v1/events", headers=headers, **sent)
    assert counted(problem, "partner:port-qd") == before + 1
    (line,) = [each for each in lines if each["event"] == "request_refused"]
    assert line["problem"] == problem
    assert line["key_id"] in gateway.keys.stored


async def test_a_firms_refusals_name_its_key_and_not_its_number(gateway: Any) -> None:
    before = counted("not-a-party", "firm")
    headers = gateway.firm("KZ-BIN:190540000014")
    with capture_logs() as lines:
        answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=headers)
    assert answer.status_code == 403
    assert counted("not-a-party", "firm") == before + 1
    assert "190540000014" not in str(lines)
    assert [each["key_id"] for each in lines if each["event"] == "request_refused"] == list(gateway.keys.stored)


async def test_rate_limit_refusals_are_counted_under_the_caller(gateway: Any) -> None:
    before = counted("too-many-requests", "partner:port-qd")
    headers = gateway.partner()
    answers = [await gateway.http.get("/v1/quarantine", headers=headers) for _ in range(101)]
    assert answers[-1].status_code == 429
    assert counted("too-many-requests", "partner:port-qd") == before + 1


async def test_the_refused_events_of_a_batch_are_one_log_line_and_all_counted(gateway: Any) -> None:
    before = counted("invalid-event", "partner:port-qd")
    with capture_logs() as lines:
        answer = await gateway.http.post(
            "/v1/events", json=[gateway.an_event(), {}, {}, {}], headers=gateway.partner() | BATCH
        )
    assert answer.status_code == 202
    assert counted("invalid-event", "partner:port-qd") == before + 3
    (line,) = [each for each in lines if each["event"] == "events_refused"]
    assert line["problems"] == {"invalid-event": 3}


async def test_not_found_is_not_a_refusal(gateway: Any) -> None:
    with capture_logs() as lines:
        for path in ("/nothing", "/v1/receipts/DC-0", "/v1/events"):
            await gateway.http.get(path, headers=gateway.partner())
    assert [each for each in lines if each["event"] == "request_refused"] == []
