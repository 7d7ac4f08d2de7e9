"""Validates plain values against contracts and reports all faults at once.

Faults have JSON pointers and stable codes; the texts are in the catalogue.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from contracts.gateway.v1 import ReceiptWarning
from contracts.values import Payload
from gateway.domain.faults import Fault, cut_names
from gateway.formats import bounds

P = TypeVar("P", bound=Payload)

MAX_FAULTS = 100
MAX_NOT_READ = 300
"""Maximum number of `not_read` entries in a receipt."""

_CODES = {
    "missing": "field.required",
    "string_type": "field.not_text",
    "string_too_short": "field.empty",
    "string_too_long": "field.too_long",
    "too_short": "field.empty",
    "too_long": "field.too_long",
    "string_pattern_mismatch": "field.form",
    "enum": "field.not_in_list",
    "literal_error": "field.not_in_list",
    "greater_than_equal": "field.out_of_range",
    "less_than_equal": "field.out_of_range",
    "timezone_aware": "field.no_offset",
    "number_too_long": "field.too_precise",
    "tuple_type": "field.not_a_list",
    "list_type": "field.not_a_list",
    "model_type": "field.not_an_object",
    "model_attributes_type": "field.not_an_object",
    "dict_type": "field.not_an_object",
}
_CODES_BY_START = (
    ("decimal", "field.not_a_number"),
    ("finite", "field.not_a_number"),
    ("int", "field.not_an_integer"),
    ("datetime", "field.not_a_time"),
    ("timezone", "field.no_offset"),
)
_LIMITS = {
    "string_too_long": "max_length",
    "too_long": "max_length",
    "enum": "expected",
    "greater_than_equal": "ge",
    "less_than_equal": "le",
    "number_too_long": "limit",
}


def validate(contract: type[P], fields: Mapping[str, Any], prefix: str = "") -> tuple[P | None, list[Fault]]:
    """The contract's value of plain fields, or None with all faults.

    Args:
        prefix: JSON pointer to the fields within the submission.
    """
    try:
        value = contract.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_FAULTS]
        return None, [_fault(detail, prefix) for detail in details]
    faults = list(islice(bounds.faults(value, prefix), MAX_FAULTS))
    return (None, faults) if faults else (value, [])


def warnings(value: Payload, prefix: str = "") -> tuple[ReceiptWarning, ...]:
    """Warnings about a contract's value, in the form that a receipt stores."""
    return tuple(
        ReceiptWarning(
            code=each.code, pointer=each.pointer, value=each.value or "", expected=str(each.values.get("found", ""))
        )
        for each in islice(bounds.warnings(value, prefix), MAX_FAULTS)
    )


def _fault(detail: Mapping[str, Any], prefix: str) -> Fault:
    kind = str(detail["type"])
    code = _CODES.get(kind) or next((code for start, code in _CODES_BY_START if kind.startswith(start)), "field.wrong")
    limit = detail.get("ctx", {}).get(_LIMITS.get(kind, ""), "")
    given = detail.get("input")
    value = str(given) if isinstance(given, str | int | Decimal) and kind != "missing" else None
    return Fault(code, prefix + pointer_of(detail["loc"]), {"limit": limit, "rule": detail["msg"]}, value)


def pointer_of(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def unknown_fields(given: Any, contract: BaseModel, pointer: str = "") -> Iterator[str]:
    """Pointers of given fields that the contract does not have, such as misspelt names; up to a limit."""
    return (cut_names(each) for each in islice(_unknown(given, contract, pointer), MAX_NOT_READ))


def _unknown(given: Any, contract: BaseModel, pointer: str) -> Iterator[str]:
    if not isinstance(given, Mapping):
        return
    for name, value in given.items():
        below = pointer + pointer_of([name])
        if name not in type(contract).model_fields:
            yield below
            continue
        known = getattr(contract, name)
        if isinstance(known, BaseModel):
            yield from _unknown(value, known, below)
        elif isinstance(known, tuple) and isinstance(value, list):
            for index, (each, model) in enumerate(zip(value, known, strict=False)):
                if isinstance(model, BaseModel):
                    yield from _unknown(each, model, f"{below}/{index}")
