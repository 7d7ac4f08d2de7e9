"""Limits the size of a declaration's events: errors, warnings and assessment lines.

The gateway uses the same limits (`contracts.limits`), so what it accepts always fits. Lists are never cut silently: the
last error gives the number of the rest, and a formula that is too long is shortened to base × rate.
"""

from collections.abc import Sequence
from dataclasses import replace

from declarations.domain.state import AssessmentLine, RuleError
from values.faults import SHOWN, shortened

ERRORS_TOLD = 100
WARNINGS_TOLD = 20
VALUE_SHOWN = SHOWN
"""Maximum characters of the found value and of each parameter."""
LINES_BYTES = 800_000
LINE_BYTES = 120
"""Bytes of a line apart from formula, base, rate and amount."""


def errors(found: Sequence[RuleError]) -> tuple[RuleError, ...]:
    """The errors of one version, limited for publication."""
    return _limited(found, ERRORS_TOLD)


def warnings(found: Sequence[RuleError]) -> tuple[RuleError, ...]:
    """The warnings of one version, limited for publication."""
    return _limited(found, WARNINGS_TOLD)


def _limited(found: Sequence[RuleError], most: int) -> tuple[RuleError, ...]:
    if len(found) <= most:
        return tuple(map(_shortened, found))
    more = RuleError("declaration.errors.more", "", parameters={"count": str(len(found) - most + 1)})
    return (*map(_shortened, found[: most - 1]), more)


def _shortened(error: RuleError) -> RuleError:
    value = None if error.value is None else shortened(error.value)
    return replace(error, value=value, parameters={name: shortened(each) for name, each in error.parameters.items()})


def lines(found: Sequence[AssessmentLine]) -> tuple[AssessmentLine, ...]:
    """The lines of an assessment; if their formulas are too long in total, each is shortened to base × rate."""
    if sum(map(_bytes, found)) <= LINES_BYTES:
        return tuple(found)
    return tuple(replace(line, formula=_short(line)) for line in found)


def _bytes(line: AssessmentLine) -> int:
    numbers = sum(len(format(each, "f")) for each in (line.base, line.rate, line.amount))
    return LINE_BYTES + numbers + len(line.formula.encode())


def _short(line: AssessmentLine) -> str:
    percent = format((line.rate * 100).normalize(), "f")
    return f"{line.base:f} × {percent} % = {line.amount:f}"
