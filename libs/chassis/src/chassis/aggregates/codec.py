"""State of an aggregate ↔ plain values that both MongoDB and JSON can hold.

Decimals and times become strings, so that no digit and no offset is lost; enums become their values, tuples lists;
map keys are escaped so that the database accepts them (`chassis.aggregates.field_names`). The codec is derived from
the type: there is no mapping to maintain.
"""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, SchemaValidator, core_schema

from chassis.aggregates.field_names import escape, unescape

S = TypeVar("S")


class UnfitState(TypeError):
    """A state type has a field of which it is unknown whether the database can store it."""


class Codec(Protocol[S]):
    """Turns a state into document fields and back."""

    def encode(self, state: S) -> dict[str, Any]: ...

    def decode(self, fields: Mapping[str, Any]) -> S: ...


class DataclassCodec(Generic[S]):
    """A codec for a state that is a frozen dataclass, nested to any depth.

    Raises:
        UnfitState: it has a map whose keys are not strings, or a field of type Any.
    """

    def __init__(self, state: type[S]) -> None:
        schema: Any = _storable(TypeAdapter(state).core_schema, state.__name__)
        self._validator = SchemaValidator(schema)
        self._serializer = SchemaSerializer(schema)

    def encode(self, state: S) -> dict[str, Any]:
        fields: dict[str, Any] = self._serializer.to_python(state, mode="json")
        return fields

    def decode(self, fields: Mapping[str, Any]) -> S:
        """Read a state back. Fields that the type does not know are dropped.

        Raises:
            pydantic.ValidationError: the document does not have the state's shape.
        """
        state: S = self._validator.validate_python(fields)
        return state


def dataclass_codec(state: type[S]) -> DataclassCodec[S]:
    """The codec of a dataclass.

    Raises:
        UnfitState: see `DataclassCodec`.
    """
    return DataclassCodec(state)


_NAME = core_schema.no_info_before_validator_function(
    lambda name: unescape(name) if isinstance(name, str) else name,
    core_schema.str_schema(),
    serialization=core_schema.plain_serializer_function_ser_schema(escape),
)
"""A map key, escaped."""

_TEXTS = ("str", "enum", "literal")
_NOT_SCHEMAS = ("metadata", "default", "cls", "serialization")


def _storable(part: Any, where: str) -> Any:
    """A part of a type's schema, with the keys of every map escaped."""
    if isinstance(part, list | tuple):
        return type(part)(_storable(each, where) for each in part)
    if not isinstance(part, dict):
        return part
    if part.get("type") == "any":
        raise UnfitState(f"{where} may hold anything: give it a type")
    inside = {
        key: each if key in _NOT_SCHEMAS else _storable(each, _named(where, part, key)) for key, each in part.items()
    }
    if part.get("type") == "dict":
        keys = part.get("keys_schema", {}).get("type")
        if keys not in _TEXTS:
            raise UnfitState(f"{where} is a map whose keys are not strings")
        if keys == "str":
            inside["keys_schema"] = _NAME
    return inside


def _named(where: str, part: Mapping[str, Any], key: str) -> str:
    return f"{where}.{part['name']}" if part.get("type") == "dataclass-field" and key == "schema" else where
