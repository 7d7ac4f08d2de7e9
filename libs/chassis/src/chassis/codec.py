"""State of an aggregate ↔ plain values that MongoDB and JSON both hold.

Decimals and times become strings, so that no digit and no offset is lost; enums their values,
tuples lists. The type says everything: there is no mapping to keep in step with it.
"""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

S = TypeVar("S")


class Codec(Protocol[S]):
    """Turns a state into document fields and back."""

    def encode(self, state: S) -> dict[str, Any]: ...

    def decode(self, fields: Mapping[str, Any]) -> S: ...


class DataclassCodec(Generic[S]):
    """A codec for a state that is a frozen dataclass, nested as deep as it likes."""

    def __init__(self, state: type[S]) -> None:
        self._adapter: TypeAdapter[S] = TypeAdapter(state)

    def encode(self, state: S) -> dict[str, Any]:
        fields: dict[str, Any] = self._adapter.dump_python(state, mode="json")
        return fields

    def decode(self, fields: Mapping[str, Any]) -> S:
        """Read a state back. Fields that the type does not know are left out.

        Raises:
            pydantic.ValidationError: the document does not have the state's shape.
        """
        return self._adapter.validate_python(fields)


def dataclass_codec(state: type[S]) -> DataclassCodec[S]:
    """The codec of a dataclass."""
    return DataclassCodec(state)
