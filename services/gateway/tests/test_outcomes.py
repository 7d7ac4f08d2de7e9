"""A firm's view of its declaration: every fact once, never the lane."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.delivery.policy import DeliveryPolicy
from chassis.delivery.records import Event, RawRecord, classify
from chassis.delivery.subscriptions import Subscription
from chassis.testing import MemoryParking
from contracts.declarations.v1 import EVENTS
from contracts.envelope import Envelope
from contracts.texts import LANGUAGES, catalogue, text
from gateway.domain.outcome import SHOWN
from gateway.http.problems import STATUS
from gateway.http.wording import language
from gateway.outcomes.declarations import SHOWN_EVENTS, to_step
from gateway.outcomes.subscribers import OutcomeHandler

GOLDEN = Path(__file__).resolve().parents[3] / "libs" / "contracts" / "golden" / "payloads"
REJECTED = "trade.declarations.declaration.rejected.v1"


def an_event(type_: str, sequence: int = 1) -> Event:
    envelope = Envelope(
        id=f"D-1/0.{sequence}",
        source="/trade/declarations",
        type=type_,
        time=datetime.fromisoformat("2026-01-05T08:00:00+00:00"),
        subject="D-1",
        sequence=sequence,
        partitionkey="U",
        causationid="x",
        actor="service:declarations",
    )
    value = (GOLDEN / f"{type_}.json").read_bytes()
    record = RawRecord("declarations.events.v1", 0, sequence, b"U", tuple(envelope.headers()), value, 0)
    event = classify(record, SHOWN_EVENTS)
    assert isinstance(event, Event)
    return event


def test_every_shown_fact_is_published_and_has_the_shown_fields() -> None:
    for fact, fields in SHOWN.items():
        payload = EVENTS[f"trade.declarations.declaration.{fact}.v1"]
        assert set(fields) <= set(payload.model_fields), fact
    assert len(SHOWN_EVENTS) == len(SHOWN)


@pytest.mark.parametrize("fact", ["routed", "partner_event_noted", "case_opened"])
def test_facts_not_shown_to_firms_are_not_consumed(fact: str) -> None:
    assert f"trade.declarations.declaration.{fact}.v1" not in SHOWN_EVENTS


@pytest.mark.parametrize("type_", SHOWN_EVENTS)
def test_every_golden_fact_becomes_a_step(type_: str) -> None:
    step = to_step(an_event(type_))
    assert step.event == "D-1/0.1"
    assert "lane" not in json.dumps(dict(step.details))
    json.dumps(dict(step.details))


async def test_a_redelivered_fact_is_one_step(gateway: Any) -> None:
    handler = OutcomeHandler(gateway.outcomes, gateway.event_outcomes)
    subscription = Subscription("declarations.events.v1", SHOWN_EVENTS, handler)
    parking = MemoryParking(gateway.clock)
    policy = DeliveryPolicy([subscription], parking, gateway.clock, build="test")
    event = an_event(REJECTED)
    await policy.process([event.record])
    await policy.process([event.record])
    (declaration,) = gateway.outcomes.stored.values()
    assert len(declaration) == 1
    assert await parking.counts() == (0, 0)


def test_every_problem_has_a_text_in_every_language() -> None:
    for problem in STATUS:
        assert set(catalogue()[f"gateway.{problem}"]) == set(LANGUAGES), problem
        assert set(catalogue()[f"gateway.title.{problem}"]) == set(LANGUAGES), problem
    assert text("gateway.too-large", "ru", limit=5)
    titled = {code.removeprefix("gateway.title.") for code in catalogue() if code.startswith("gateway.title.")}
    assert titled == set(STATUS)


def test_every_fault_in_the_code_has_a_text() -> None:
    sources = Path(__file__).parents[1] / "src" / "gateway"
    written = "".join(path.read_text(encoding="utf-8") for path in sources.rglob("*.py"))
    codes = set(re.findall(r'Fault\(\s*"([\w.]+)"', written)) | set(re.findall(r'"(field\.\w+)"', written))
    assert len(codes) > 30
    missing = {code for code in codes if f"gateway.{code}" not in catalogue()}
    assert missing == set()
    problems = set(re.findall(r'Refused\(\s*"([\w-]+)"', written))
    assert problems <= set(STATUS)


@pytest.mark.parametrize(
    ("accepted", "title"),
    [("zh-CN", "缺少密钥"), ("ru", "Нет ключа"), ("en", "Key missing"), ("de", "Key missing"), ("", "Key missing")],
)
async def test_the_title_of_a_problem_is_in_the_language_asked_for(gateway: Any, accepted: str, title: str) -> None:
    answer = await gateway.http.get("/v1/quarantine", headers={"Accept-Language": accepted})
    assert answer.json()["title"] == title
    assert answer.headers["Content-Language"] == (accepted[:2] if accepted[:2] in LANGUAGES else "en")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [(None, "en"), ("", "en"), ("zh-CN", "zh"), ("fr, ru;q=0.3, zh;q=0.9", "zh"), ("ru;q=0", "en"), ("*;q=x,,;", "en")],
)
def test_the_language_is_the_preferred_supported_one(accepted: str | None, expected: str) -> None:
    assert language(accepted) == expected
