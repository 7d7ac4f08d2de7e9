"""Bytes into plain values, and plain values into contracts, with everything that is wrong at once.

Reading is bounded: size is the door's business, depth and ambiguity are ours. What a contract
refuses becomes faults with JSON pointers and stable codes; the texts stand in the catalogue.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from contracts.gateway.v1 import ReceiptWarning
from contracts.values import Payload
from gateway.domain.faults import Fault, Refused, cut_names
from gateway.formats import bounds

P = TypeVar("P", bound=Payload)

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Values in one text; the largest declaration that one event can hold has fewer."""
MAX_EXPONENT = 400
"""Of a number, beyond any quantity: a whole number with a larger one is written out for hours."""
MAX_FAULTS = 100
MAX_NOT_READ = 300
"""Names of what is not carried: a receipt is no copy of what was sent."""

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


def read_json(body: bytes) -> Any:
    """Plain values of a JSON text; numbers with a fraction as Decimal.

    Raises:
        Refused: not UTF-8, not JSON, a name twice in one object, or nested too deeply.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("json-malformed", [Fault("json.not_utf8", values={"position": error.start})]) from None
    try:
        value = json.loads(
            text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
        )
    except RecursionError:
        raise Refused("json-too-deep", limit=MAX_DEPTH) from None
    except json.JSONDecodeError as error:
        fault = Fault("json.malformed", values={"line": error.lineno, "column": error.colno})
        raise Refused("json-malformed", [fault]) from None
    except ValueError:
        # An integer with more digits than the interpreter reads, or a number with a huge exponent.
        raise Refused("json-malformed", [Fault("json.number")]) from None
    _check_values(value)
    return value


def _refuse_constant(name: str) -> Any:
    raise Refused("json-malformed", [Fault("json.constant", values={"found": name})])


def _decimal(digits: str) -> Decimal:
    """A number with a fraction or an exponent.

    Raises:
        ValueError: the exponent is out of all bounds.
    """
    _, _, exponent = digits.lower().partition("e")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        raise ValueError(exponent)
    return Decimal(digits)


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        repeated = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise Refused("json-malformed", [Fault("json.repeated_name", values={"name": repeated})])
    return found


def _check_values(root: Any) -> None:
    """Depth, number, and texts that no UTF-8 can carry (lone surrogates)."""
    waiting, count = [(root, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise Refused("too-large", limit=f"{MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise Refused("json-too-deep", limit=MAX_DEPTH)
        if isinstance(value, dict):
            waiting.extend((each, depth + 1) for each in (*value.keys(), *value.values()))
        elif isinstance(value, list):
            waiting.extend((each, depth + 1) for each in value)
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Refused("json-malformed", [Fault("json.surrogate")]) from None


def validate(contract: type[P], fields: Mapping[str, Any], prefix: str = "") -> tuple[P | None, list[Fault]]:
    """A contract's value of plain fields, or None with everything that is wrong.

    Args:
        prefix: JSON pointer of where the fields stand in the submission.
    """
    try:
        value = contract.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_FAULTS]
        return None, [_fault(detail, prefix) for detail in details]
    faults = list(islice(bounds.faults(value, prefix), MAX_FAULTS))
    return (None, faults) if faults else (value, [])


def warnings(value: Payload, prefix: str = "") -> tuple[ReceiptWarning, ...]:
    """What is odd about a contract's value, as a receipt keeps it."""
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
    """Pointers of what was given and the contract does not know, so that a misspelt name is seen; the first of them."""
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


def in_normal_form(given: Any, read: Any) -> Any:
    """What was given, with every text as the contract read it: spellings of one thing are one content."""
    if isinstance(given, Mapping) and isinstance(read, BaseModel):
        known = type(read).model_fields
        return {
            name: in_normal_form(value, getattr(read, name) if name in known else None) for name, value in given.items()
        }
    if isinstance(given, list) and isinstance(read, tuple):
        return [in_normal_form(each, model) for each, model in zip(given, read, strict=True)]
    return str(read) if isinstance(given, str) and isinstance(read, str) else given


def content_hash(*values: Any) -> str:
    """A fingerprint of plain values that does not depend on the order of names or on white space."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
