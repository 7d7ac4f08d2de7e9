"""Receipts: identified by hash, rebuilt from published events, given a UCR if there is none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.aggregates.model import AggregateType
from contracts.gateway.v1 import SUBMISSIONS
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from gateway.domain.pace import Pace
from gateway.domain.receipt import KeepSubmission, Kind, ReceiptExists, decide, kind_of, receipt_id
from gateway.domain.ucr import make_ucr
from gateway.formats.content import content_hash
from gateway.receipts.aggregate import FIRM_RECEIPT, PARTNER_RECEIPT
from gateway.receipts.messages import to_command

GOLDEN = Path(__file__).resolve().parents[3] / "libs" / "contracts" / "golden" / "payloads"
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TYPES = {**dict.fromkeys(SUBMISSIONS, FIRM_RECEIPT), **dict.fromkeys(PARTNER_EVENTS, PARTNER_RECEIPT)}


@pytest.mark.parametrize("name", TYPES)
def test_a_receipt_is_rebuilt_from_its_published_event(name: str) -> None:
    type_: AggregateType[Any, Any, Any] = TYPES[name]
    payload = {**SUBMISSIONS, **PARTNER_EVENTS}[name].model_validate_json((GOLDEN / f"{name}.json").read_bytes())
    command = to_command(name, payload)  # type: ignore[arg-type]
    (event,) = type_.decide(None, command, NOW)
    state = type_.evolve(None, event)
    written, data = type_.messages.encode(event, state)
    assert written == name
    assert type_.messages.decode(written, data) == event
    assert type_.codec.decode(json.loads(json.dumps(type_.codec.encode(state)))) == state


def test_a_payload_without_its_receipt_is_refused() -> None:
    name = "trade.partners.exit.confirmed.v1"
    fields = json.loads((GOLDEN / f"{name}.json").read_text()) | {"receipt": None}
    with pytest.raises(ValueError, match="carries no receipt"):
        PARTNER_RECEIPT.messages.decode(name, json.dumps(fields).encode())


def test_a_receipt_never_changes() -> None:
    name = "trade.partners.exit.confirmed.v1"
    payload = PARTNER_EVENTS[name].model_validate_json((GOLDEN / f"{name}.json").read_bytes())
    command: KeepSubmission = to_command(name, payload)
    with pytest.raises(ReceiptExists):
        decide(command.receipt, command, NOW)


@pytest.mark.parametrize("kind", Kind)
def test_a_receipt_id_tells_its_kind(kind: Kind) -> None:
    assert kind_of(receipt_id(kind, "a", "b", "c")) is kind


def test_the_parts_of_a_submission_key_are_unambiguous() -> None:
    names = [("a", "b", "c"), ("a", "bc", ""), ("ab", "", "c"), ("a", 'b","c', ""), ("a\u0000", "b", "c")]
    assert len({receipt_id(Kind.EVENT, *name) for name in names}) == len(names)


def test_the_content_hash_ignores_spelling() -> None:
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert len({content_hash(each) for each in ({"a": 1}, {"a": "1"}, {"a": [1]}, {"a": None}, {})}) == 5


@pytest.mark.parametrize(
    ("scheme", "value", "ucr"),
    [
        ("CN-USCC", "91370200MB2F00QD1X", "6CN91370200MB2F00QD1X-0123456789AB"),
        ("GB-EORI", "GB603202734852", "6GB603202734852-0123456789AB"),
        ("LEI", "213800KUD8LAJWSQ9D15", "6XX213800KUD8LAJWSQ9-0123456789AB"),
        ("RU-INN", "77 07/083-893", "6RU7707083893-0123456789AB"),
    ],
)
def test_a_reference_names_year_country_company_and_serial(scheme: str, value: str, ucr: str) -> None:
    made = make_ucr(2026, scheme, value, "DC-0123456789abcdef01234567")
    assert made[:3] == ucr[:3]
    assert made.endswith("-0123456789AB")
    assert len(made) <= 35
    assert made == ucr or len(made) == 35


def test_the_rate_limit_of_one_key_does_not_affect_another() -> None:
    pace = Pace(per_second=2, burst=4)
    assert [pace.wait_seconds("a", 0.0) for _ in range(4)] == [0, 0, 0, 0]
    assert pace.wait_seconds("a", 0.0) == 0.5
    assert pace.wait_seconds("b", 0.0) == 0
    assert pace.wait_seconds("a", 0.5) == 0
    assert [pace.wait_seconds("a", 1000.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]
