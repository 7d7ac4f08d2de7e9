"""Size limits of submissions at the door, chosen so that every event derived from them fits the event limit.

An event has at most `MAX_EVENT_BYTES`. Each part that grows with the submission has its limit here, by event:

    declaration lodged      declaration + fact + warnings
    rejected                fact + errors
    routed                  fact + inputs of the risk rules, 5 entries per goods item
    assessed                fact + lines, one per tax and goods item
    partner event noted     partner event + fact
    listing submitted …     listing

A *fact* is the part that every event of a declaration repeats: ids and parties. Errors, warnings and lines are limited
where they are created (`declarations.domain.size_limits`, by the same numbers). The door refuses what exceeds a limit;
what it accepts must never be too large for a later step.
"""

from typing import Final, NamedTuple

from contracts.gateway.v1 import DeclarationSubmitted, MandateSubmitted, ProjectSubmitted
from contracts.partners.v1 import PartnerEvent
from contracts.topics import MAX_EVENT_BYTES
from contracts.values import Payload

FACT_BYTES: Final = 40_000
"""About 300 parties by number; the Union Customs Code's annexes allow 99 supply chain actors."""
ERRORS_TOLD: Final = 100
"""Errors of one version; the last one says how many more there are."""
WARNINGS_TOLD: Final = 20
VALUE_SHOWN: Final = 200
"""Characters of the value found, and of each parameter, in an error."""
ERROR_BYTES: Final = 3_400
"""One error: a value and three parameters at four bytes per character, with code, pointer and names."""
MAX_ITEMS: Final = 999
"""Goods items of one declaration: the maximum of the Union Customs Code's annexes (1/6)."""
LINES_BYTES: Final = 800_000
"""Bytes of an assessment's lines; if its formulas need more, they are shortened."""
DECLARATION_BYTES: Final = MAX_EVENT_BYTES - FACT_BYTES - WARNINGS_TOLD * ERROR_BYTES - 12_000
"""The last term is for ids and times."""
PARTNER_EVENT_BYTES: Final = 64_000
"""Findings of 2,000 characters and a few hundred requested documents."""
LISTING_BYTES: Final = 64_000
"""All countries and all sectors, with texts."""


class Exceeded(NamedTuple):
    """One limit that a submission exceeds."""

    code: str
    """Last part of the text's code."""
    pointer: str
    limit: int
    found: int


def exceeded(payload: Payload) -> Exceeded | None:
    """The first limit that a payload exceeds; None if it exceeds none."""
    match payload:
        case DeclarationSubmitted():
            return _of_declaration(payload)
        case PartnerEvent():
            return _of_bytes(payload, "/data", PARTNER_EVENT_BYTES)
        case ProjectSubmitted() | MandateSubmitted():
            return _of_bytes(payload, "", LISTING_BYTES)
    return None


def _of_declaration(payload: DeclarationSubmitted) -> Exceeded | None:
    declaration = payload.declaration
    if len(declaration.goods) > MAX_ITEMS:
        return Exceeded("items", "/goods", MAX_ITEMS, len(declaration.goods))
    parties = sum(map(written, declaration.parties))
    if parties > FACT_BYTES // 2:  # the other half is for the ids
        return Exceeded("bytes", "/parties", FACT_BYTES // 2, parties)
    return _of_bytes(payload, "", DECLARATION_BYTES)


def _of_bytes(payload: Payload, pointer: str, limit: int) -> Exceeded | None:
    size = written(payload)
    return Exceeded("bytes", pointer, limit, size) if size > limit else None


def written(value: Payload) -> int:
    """Bytes of a value with all fields written: absent ones are published as null."""
    return len(value.model_dump_json().encode())
