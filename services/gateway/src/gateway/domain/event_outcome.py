"""What became of a partner's event, per declaration: from what declarations notes of it.

    waiting         no declaration has what the event names yet
    applied         it counts for the declaration
    without_effect  it is noted there and changes nothing; the reason says why
    retracted       the partner took it back
    expectation     planned or estimated: no declaration is changed by it

A declaration may note an event again where a correction changes whether it counts: the last note holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ACTUAL = "ACT"
WAITING, APPLIED, WITHOUT_EFFECT, RETRACTED, EXPECTATION = (
    "waiting",
    "applied",
    "without_effect",
    "retracted",
    "expectation",
)
_GRAVEST_LAST = (RETRACTED, WITHOUT_EFFECT, APPLIED)
"""Of several declarations the event as a whole is the last of these that one of them is."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a declaration noted of an event: the event itself, or its retraction."""

    event: str
    """Id of the declaration's event that says so."""
    sequence: int
    declaration_id: str
    at: str
    """RFC 3339."""
    retraction: bool = False
    reason: str = ""
    """Why it has no effect; empty where it counts."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the reason's text puts in."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event for one declaration."""

    declaration_id: str
    status: str
    at: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def outcomes(notes: Sequence[Note]) -> list[Outcome]:
    """One outcome for each declaration that noted the event, by id."""
    return [
        _outcome([note for note in notes if note.declaration_id == id_])
        for id_ in sorted({note.declaration_id for note in notes})
    ]


def status_of(classifier: str, found: Sequence[Outcome]) -> str:
    """What became of the event as a whole; an unknown classifier is one of before it was kept."""
    if classifier not in ("", ACTUAL):
        return EXPECTATION
    present = {each.status for each in found}
    return next((status for status in reversed(_GRAVEST_LAST) if status in present), WAITING)


def _outcome(notes: Sequence[Note]) -> Outcome:
    """Of one declaration's notes."""
    last = {
        retraction: _last([note for note in notes if note.retraction is retraction]) for retraction in (False, True)
    }
    noted, taken_back = last[False], last[True]
    if noted is not None and noted.reason:
        return Outcome(noted.declaration_id, WITHOUT_EFFECT, noted.at, noted.reason, noted.parameters)
    if taken_back is not None and not taken_back.reason:
        return Outcome(taken_back.declaration_id, RETRACTED, taken_back.at)
    note = noted or taken_back
    assert note is not None  # noqa: S101 - the declaration is here because of a note
    return Outcome(note.declaration_id, APPLIED if noted else WAITING, note.at)


def _last(notes: Sequence[Note]) -> Note | None:
    return max(notes, key=lambda note: note.sequence, default=None)
