"""The database stores and returns any map key of a state; a type that cannot ensure it is refused before use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import bson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.aggregates.codec import UnfitState, dataclass_codec
from chassis.aggregates.field_names import escape, escaped, fits, unescape, unescaped

TRAPS = ["", ".", "a.b", "$", "$set", "a$", "\0", "a\0b", "%", "%%", "%2E", "%25", "$.%\0", "item.1.code"]
NAMES = st.sampled_from(TRAPS) | st.text(alphabet="a$.%\0é2E40", max_size=6) | st.text(st.characters(codec="utf-8"))


def names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names(inner)


@given(NAMES)
def test_every_name_is_stored_as_one_that_the_database_takes_and_comes_back(name: str) -> None:
    assert fits(escape(name))
    assert unescape(escape(name)) == name


@given(NAMES, NAMES)
@example("", "%")
@example(".", "%2E")
def test_two_names_are_never_stored_as_one(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@pytest.mark.parametrize("name", ["code", "item.1.code", "net-mass", "50 % of it"])
def test_a_name_that_an_earlier_release_stored_as_it_is_is_read_as_it_is(name: str) -> None:
    assert unescape(name) == name


@dataclass(frozen=True, slots=True)
class Part:
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Whole:
    nested: Mapping[str, Mapping[str, int]]
    parts: tuple[Part, ...] = ()
    part: Part | None = None


MAPS = st.dictionaries(NAMES, st.text(st.characters(codec="utf-8")), max_size=4)
PARTS = st.builds(Part, MAPS)
WHOLES = st.builds(
    Whole,
    st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(), max_size=3), max_size=3),
    st.lists(PARTS, max_size=3).map(tuple),
    st.none() | PARTS,
)


@given(WHOLES)
def test_a_state_with_any_names_is_stored_and_comes_back(whole: Whole) -> None:
    codec = dataclass_codec(Whole)
    fields = codec.encode(whole)
    assert all(fits(name) for name in names(fields))
    bson.encode(codec.encode(Whole({}, whole.parts, whole.part)))
    assert codec.decode(fields) == whole


def test_a_state_that_an_earlier_release_stored_is_read() -> None:
    stored = {"nested": {"item.1": {"$a": 1}}, "parts": [{"said": {"a.b": "c"}}], "part": None}
    assert dataclass_codec(Whole).decode(stored) == Whole({"item.1": {"$a": 1}}, (Part({"a.b": "c"}),))


@given(st.recursive(st.integers() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_any_plain_value_is_stored_and_comes_back(value: Any) -> None:
    assert all(fits(name) for name in names(escaped(value)))
    assert unescaped(escaped(value)) == value


@dataclass(frozen=True)
class Anything:
    inside: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Numbered:
    by_number: Mapping[int, str]


@pytest.mark.parametrize(("state", "field_"), [(Anything, "Anything.inside"), (Numbered, "Numbered.by_number")])
def test_a_state_of_which_nobody_knows_what_it_holds_is_refused_by_name(state: type, field_: str) -> None:
    with pytest.raises(UnfitState, match=field_):
        dataclass_codec(state)
