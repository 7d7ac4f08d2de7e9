"""JSON text into plain values, with bounds: size is the door's business, depth and ambiguity are ours."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gateway.domain.faults import Fault, Refused

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Values in one text; the largest declaration that one event can hold has fewer."""
MAX_EXPONENT = 400
"""Of a number, beyond any quantity: a whole number with a larger one is written out for hours."""


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
