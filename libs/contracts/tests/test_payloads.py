"""Golden payloads: published events can be read for ever, without loss."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.events import event_types
from contracts.examples import example
from contracts.texts import LANGUAGES
from values.payments import BankReference

TYPES = event_types()
PAYLOADS = Path(__file__).parents[1] / "golden" / "payloads"
FILES = sorted(PAYLOADS.glob("*.json"))


def test_every_event_type_has_a_golden_payload():
    missing = [name for name in TYPES if not (PAYLOADS / f"{name}.json").exists()]
    assert not missing, f"run: python libs/contracts/schemas.py --example {' '.join(missing)}  and fill in real values"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_payload_is_read_and_nothing_it_says_is_lost(file):
    golden = json.loads(file.read_text(encoding="utf-8"))
    read = TYPES[file.stem].payload.model_validate_json(file.read_bytes())
    assert _lost(golden, read.model_dump(mode="json")) == []


_SPELLING = {"payment_reference": BankReference, "bank_reference": BankReference}
"""Fields that are normalised on reading; old payloads may have other spellings."""


def _lost(golden: Any, now: Any, path: str = "") -> list[str]:
    """Paths of golden values missing after reading; additional fields are allowed."""
    if isinstance(golden, dict) and isinstance(now, dict):
        return [each for key, value in golden.items() for each in _lost(value, now.get(key), f"{path}/{key}")]
    if isinstance(golden, list) and isinstance(now, list) and len(golden) == len(now):
        return [each for i, (a, b) in enumerate(zip(golden, now, strict=True)) for each in _lost(a, b, f"{path}/{i}")]
    spelling = _SPELLING.get(path.rpartition("/")[2])
    kept = golden == now or (spelling is not None and isinstance(golden, str) and spelling(golden) == now)
    return [] if kept else [f"{path or '/'}: {golden!r} was read as {now!r}"]


def test_a_lost_field_is_seen():
    assert _lost({"a": {"b": 1}, "c": [1, 2]}, {"a": {}, "c": [1, 2]}) == ["/a/b: 1 was read as None"]
    assert _lost({"c": [1, 2]}, {"c": [1]}) != []
    assert _lost({"a": 1}, {"a": 1, "new": 2}) == []
    assert _lost({"payment_reference": "pay-1"}, {"payment_reference": "PAY-1"}) == []
    assert _lost({"payment_reference": "pay-1"}, {"payment_reference": "PAY1"}) != []


@pytest.mark.parametrize("name", TYPES)
def test_a_reader_ignores_fields_of_newer_writers(name):
    payload = TYPES[name].payload
    values = example(payload)
    assert payload.model_validate({**values, "from_a_newer_writer": {"x": [1]}}) == payload.model_validate(values)


@pytest.mark.parametrize("name", TYPES)
def test_every_field_has_a_description(name):
    bare = [
        f"{model.__name__}.{field}"
        for model in _models(TYPES[name].payload)
        for field, info in model.model_fields.items()
        if not info.description
    ]
    assert bare == []


def _models(payload: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A payload and every model inside it."""
    waiting: list[Any] = [payload]
    seen: set[Any] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, type) and issubclass(each, BaseModel):
            if each not in seen:
                seen.add(each)
                yield each
                waiting += [field.annotation for field in each.model_fields.values()]
        else:
            waiting += getattr(each, "__args__", ())


def test_the_languages_of_the_platform_are_three():
    assert LANGUAGES == ("zh", "ru", "en")
