"""What a submission may measure at the door, so that whatever comes of it behind the door fits into an event.

An event holds at most `MAX_EVENT_BYTES`. What grows with a submission has its room here, as the contract writes it:

    declaration lodged      declaration + fact + warnings
    rejected                fact + errors told
    routed                  fact + what the risk rules looked at, 5 entries a goods item
    assessed                fact + lines, each tax of each goods item
    partner event noted     partner event + fact
    listing submitted …     listing

A *fact* is what every event of a declaration repeats: its ids and its parties. Errors, warnings and lines are bounded
where they are made (`declarations.domain.room`, by the same numbers). The door refuses what exceeds a room; what it
takes, no step behind it may find too large.
"""

from typing import Final, NamedTuple

from contracts.gateway.v1 import DeclarationSubmitted, MandateSubmitted, ProjectSubmitted
from contracts.partners.v1 import PartnerEvent
from contracts.topics import MAX_EVENT_BYTES
from contracts.values import Payload

FACT_BYTES: Final = 40_000
"""Some 300 parties by number; 99 supply chain actors are the most that the Union Customs Code's annexes ask for."""
ERRORS_TOLD: Final = 100
"""Of one version; the last one says how many more there are."""
WARNINGS_TOLD: Final = 20
VALUE_SHOWN: Final = 200
"""Characters of what was found, and of each parameter, in an error."""
ERROR_BYTES: Final = 3_400
"""A value and three parameters of four bytes a character, with code, pointer and names."""
MAX_ITEMS: Final = 999
"""Goods items of one declaration: the most that the Union Customs Code's annexes (1/6) allow."""
LINES_BYTES: Final = 800_000
"""Of an assessment; where its formulas take more, they are written short."""
DECLARATION_BYTES: Final = MAX_EVENT_BYTES - FACT_BYTES - WARNINGS_TOLD * ERROR_BYTES - 12_000
"""The last are ids and times beside the declaration."""
PARTNER_EVENT_BYTES: Final = 64_000
"""Findings of 2,000 characters and a few hundred documents asked for."""
LISTING_BYTES: Final = 64_000
"""Every country and every sector, with their words."""


class Exceeded(NamedTuple):
    """One room that a submission does not fit into."""

    code: str
    """Last part of the text's code."""
    pointer: str
    limit: int
    found: int


def exceeded(payload: Payload) -> Exceeded | None:
    """The first room that a payload which the door would publish exceeds; None where every step behind has its own."""
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
    if parties > FACT_BYTES // 2:  # the other half is the ids'
        return Exceeded("bytes", "/parties", FACT_BYTES // 2, parties)
    return _of_bytes(payload, "", DECLARATION_BYTES)


def _of_bytes(payload: Payload, pointer: str, limit: int) -> Exceeded | None:
    size = written(payload)
    return Exceeded("bytes", pointer, limit, size) if size > limit else None


def written(value: Payload) -> int:
    """Bytes of a value with every field in its place: an absent one is sent as null behind the door."""
    return len(value.model_dump_json().encode())
