"""Parses JSON into plain values with limits on depth and number, and refuses ambiguity. `http` limits the size."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gateway.domain.faults import Fault, Refused

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Maximum number of values in one text; the largest publishable declaration has fewer."""
MAX_EXPONENT = 400
"""Maximum exponent of a number; expanding a whole number with a much larger one would take hours."""


def read_json(body: bytes) -> Any:
    """Parse a JSON text; numbers with a fraction become Decimal.

    Raises:
        Refused: not UTF-8, not JSON, a repeated name in an object, or nested too deeply.
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
        # An integer with more digits than Python converts, or a number with a huge exponent.
        raise Refused("json-malformed", [Fault("json.number")]) from None
    _check_values(value)
    return value


def _refuse_constant(name: str) -> Any:
    raise Refused("json-malformed", [Fault("json.constant", values={"found": name})])


def _decimal(digits: str) -> Decimal:
    """A number with a fraction or an exponent.

    Raises:
        ValueError: the exponent is too large.
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
    """Refuse excessive depth, too many values, and strings that UTF-8 cannot encode (lone surrogates)."""
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
