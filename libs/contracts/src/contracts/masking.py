"""Masks personal data in payloads before people see them, by the marks in the contract.

Works on the original JSON, so fields that a reader does not know are shown unchanged.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from contracts.events import event_types

MASK = "•••"


def masked_event(type_: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload with its personal data masked; a payload of an unknown type is returned unchanged."""
    known = _types().get(type_)
    return dict(payload) if known is None else masked(known, payload)


def masked(contract: type[BaseModel], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a contract, with marked ones masked if they have a value, at any depth."""
    shown = dict(payload)
    for name, field in contract.model_fields.items():
        if shown.get(name) is None:
            continue
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("x-personal-data"):
            shown[name] = MASK
        else:
            for inner in _models(field.annotation):
                shown[name] = _masked_within(inner, shown[name])
    return shown


def _masked_within(contract: type[BaseModel], value: Any) -> Any:
    match value:
        case Mapping():
            return masked(contract, value)
        case list():
            return [_masked_within(contract, each) for each in value]
        case _:
            return value


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The contracts named in a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


@cache
def _types() -> dict[str, type[BaseModel]]:
    return {name: event.payload for name, event in event_types().items()}
