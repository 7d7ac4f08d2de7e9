"""Contracts only grow: golden schemas match, and every breaking change is detected."""

import importlib.util
import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel, Field, create_model

from contracts.events import EventType, event_types
from contracts.evolution import breaks
from contracts.values import DecimalString, Payload, Timestamp

TYPES = event_types()


def _script() -> ModuleType:
    """`schemas.py`, which is a script and not part of the package."""
    spec = importlib.util.spec_from_file_location("schemas", Path(__file__).parents[1] / "schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


schemas = _script()


@pytest.mark.parametrize("name", TYPES)
def test_each_event_type_agrees_with_its_golden_schema(name):
    assert schemas.findings(TYPES[name]) == []


def test_no_published_event_type_is_gone():
    gone = [finding for finding in schemas.check(TYPES) if "is gone" in finding]
    assert gone == []


class Lane(StrEnum):
    GREEN = "green"
    RED = "red"


class LaneSeen(StrEnum):
    GREEN = "green"
    RED = "red"
    BLUE = "blue"


class LaneLess(StrEnum):
    GREEN = "green"


class Place(Payload):
    code: str = Field(description="…")


class PlaceWithoutCode(Payload):
    name: str | None = Field(default=None, description="…")


FIELDS = {
    "number": (str, Field(max_length=20, description="…")),
    "amount": (DecimalString, Field(description="…")),
    "at": (Timestamp | None, Field(default=None, description="…")),
    "lane": (Lane, Field(description="…")),
    "places": (tuple[Place, ...], Field(default=(), description="…")),
}


def _payload(**changes: object) -> type[BaseModel]:
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not None}
    return create_model("Fact", __base__=Payload, **fields)  # type: ignore[call-overload,no-any-return]


def _breaks(**changes: object) -> list[str]:
    return breaks(_payload().model_json_schema(), _payload(**changes).model_json_schema())


FINE = {
    "nothing": {},
    "an optional field is added": {"note": (str | None, Field(default=None, description="…"))},
    "a description changes": {"number": (str, Field(max_length=20, description="better"))},
    "a limit is widened": {"number": (str, Field(max_length=40, description="…"))},
    "an enumeration grows": {"lane": (LaneSeen, Field(description="…"))},
    "a required field becomes optional with the same type": {"lane": (Lane, Field(default=Lane.RED, description="…"))},
}

BROKEN = {
    "a field is removed": ({"number": None}, "/number: was removed or renamed"),
    "a field is renamed": ({"number": None, "no": (str, Field(default="", description="…"))}, "/number: was removed"),
    "a field is retyped": ({"number": (int, Field(description="…"))}, "/number: was string, is integer"),
    "a string gets a format": ({"number": (Timestamp, Field(description="…"))}, "/number: format is now date-time"),
    "a decimal becomes a number": ({"amount": (float, Field(description="…"))}, "/amount: was string, is number"),
    "a required field is added": ({"office": (str, Field(description="…"))}, "/office: is required now"),
    "an optional field becomes required": ({"at": (Timestamp, Field(description="…"))}, "/at: "),
    "a field may be null now": ({"number": (str | None, Field(description="…"))}, "/number: may now be null"),
    "a limit is narrowed": ({"number": (str, Field(max_length=10, description="…"))}, "/number: maxLength is now 10"),
    "a limit is new": ({"places": (tuple[Place, ...], Field(default=(), max_length=3))}, "/places: maxItems is now 3"),
    "a value goes": ({"lane": (LaneLess, Field(description="…"))}, "/lane: values ['red'] are no longer allowed"),
    "a nested field is removed": (
        {"places": (tuple[PlaceWithoutCode, ...], Field(default=(), description="…"))},
        "/places/*/code: was removed",
    ),
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE.keys())
def test_growth_is_fine(changes):
    assert _breaks(**changes) == []


@pytest.mark.parametrize(("changes", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_break_is_seen_and_names_its_field(changes, words):
    found = _breaks(**changes)
    assert any(words in each for each in found), found


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A golden folder of its own, with the schema of one type in it."""
    monkeypatch.setattr(schemas, "GOLDEN", tmp_path)
    assert schemas.write(_types(_payload())) == []
    return tmp_path / "schemas" / "trade.x.y.done.v1.json"


def _types(payload: type[BaseModel]) -> dict[str, EventType]:
    return {"trade.x.y.done.v1": EventType("trade.x.y.done.v1", "x", "v1", payload)}  # type: ignore[arg-type]


def test_a_break_is_refused_also_when_schemas_are_written_anew(planted):
    before = planted.read_text()
    refused = schemas.write(_types(_payload(number=None)))
    assert "/number: was removed or renamed" in refused[0]
    assert "--reset trade.x.y.done.v1" in refused[-1]
    assert planted.read_text() == before


def test_growth_is_reported_by_the_check_and_written_by_the_command(planted):
    grown = _types(_payload(note=(str | None, Field(default=None, description="…"))))
    assert "run: python libs/contracts/schemas.py" in schemas.check(grown)[0]
    assert schemas.write(grown) == []
    assert schemas.check(grown) == []
    assert "note" in planted.read_text()


def test_a_type_that_is_gone_is_reported(planted):
    assert "was published but is missing" in schemas.check({})[0]
