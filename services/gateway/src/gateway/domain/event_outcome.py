"""The outcome of a partner's event for each declaration, from the notes that declarations publishes.

    waiting         no declaration matches the references of the event yet
    applied         it has effect on the declaration
    without_effect  the declaration noted it without effect; the reason says why
    retracted       the partner retracted it
    expectation     planned or estimated: it changes no declaration

A declaration notes an event again if a correction changes whether it has effect: the last note applies.
A retraction may arrive before the event that it retracts: it has no effect until that event is noted.
A payment that names only a UCR is noted by the account of that UCR, and applies to the declarations that
it is allocated to; it waits until one of them is assessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ACTUAL = "ACT"
WAITING, APPLIED, WITHOUT_EFFECT, RETRACTED, EXPECTATION = (
    "waiting",
    "applied",
    "without_effect",
    "retracted",
    "expectation",
)
NOTHING_TAKEN_BACK = "nothing_taken_back"
"""Reason of a retraction without effect: the declaration has no event of its publisher and source with that id."""
_LOWEST_PRECEDENCE_FIRST = (RETRACTED, WITHOUT_EFFECT, APPLIED)
"""The status of an event across several declarations is the last of these that any of them has."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note of an event or of its retraction, by a declaration or by an account."""

    event: str
    """Id of the noting event."""
    sequence: int
    declaration_id: str
    """Empty if the account of a UCR noted it."""
    at: str
    """RFC 3339."""
    retraction: bool = False
    reason: str = ""
    """Why it has no effect; empty if it has effect."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the reason's text."""
    takes_back: str = ""
    """In the note of a retraction: the receipt of the retracted event."""
    payment: str = ""
    """The id of the payment under which its shares are stored, if the account of a UCR noted it."""


@dataclass(frozen=True, slots=True)
class Share:
    """The total that a declaration gets of a payment that names only its UCR."""

    event: str
    """Id of the account's event."""
    sequence: int
    declaration_id: str
    at: str
    """RFC 3339."""
    amount: str
    """Decimal string in major units."""
    currency: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an event for one declaration."""

    declaration_id: str
    """Empty if no declaration has a share and only the account of the UCR noted it."""
    status: str
    at: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    share: Share | None = None
    """The declaration's share of a payment that names only its UCR."""


def judged(note: Note, of_target: Sequence[Note]) -> Note:
    """The note of a retraction, marked as without effect if the retracted event is not noted in the same place.

    An account and the declarations of its UCR share their payments, so a note by either counts for both.
    """
    if not note.takes_back or note.reason:
        return note
    told = {each.declaration_id for each in of_target if not each.retraction}
    found = told & {note.declaration_id, ""} if note.declaration_id else told
    return note if found else replace(note, reason=NOTHING_TAKEN_BACK)


def outcomes(notes: Sequence[Note], shares: Sequence[Share] = ()) -> list[Outcome]:
    """One outcome for each declaration that noted the event or has a share of it, sorted by id.

    A declaration that noted only the retraction, and never the event, has no outcome.
    """
    told = {note.declaration_id for note in notes if not note.retraction}
    of_declarations = told and "" not in told
    return [
        outcome
        for id_ in sorted(told if of_declarations else {note.declaration_id for note in notes})
        for outcome in _spread(_outcome([note for note in notes if note.declaration_id == id_]), shares)
    ]


def status_of(classifier: str, found: Sequence[Outcome]) -> str:
    """The status of the event across declarations. Receipts from before classifiers were stored have an empty one."""
    if classifier not in ("", ACTUAL):
        return EXPECTATION
    present = {each.status for each in found}
    return next((status for status in reversed(_LOWEST_PRECEDENCE_FIRST) if status in present), WAITING)


def _spread(outcome: Outcome, shares: Sequence[Share]) -> list[Outcome]:
    """An account's applied outcome as one per share, or as waiting without shares; any other outcome unchanged."""
    if outcome.declaration_id or outcome.status != APPLIED:
        return [outcome]
    last = {(each.declaration_id, each.currency): each for each in sorted(shares, key=lambda each: each.sequence)}
    found = [Outcome(each.declaration_id, APPLIED, each.at, share=each) for _, each in sorted(last.items())]
    return found or [Outcome("", WAITING, outcome.at)]


def _outcome(notes: Sequence[Note]) -> Outcome:
    """The outcome of one declaration's notes."""
    last = {
        retraction: _last([note for note in notes if note.retraction is retraction]) for retraction in (False, True)
    }
    noted, taken_back = last[False], last[True]
    if noted is not None and noted.reason:
        return Outcome(noted.declaration_id, WITHOUT_EFFECT, noted.at, noted.reason, noted.parameters)
    if taken_back is not None and not taken_back.reason:
        return Outcome(taken_back.declaration_id, RETRACTED, taken_back.at)
    note = noted or taken_back
    assert note is not None  # noqa: S101 - there is at least one note
    return Outcome(note.declaration_id, APPLIED if noted else WAITING, note.at)


def _last(notes: Sequence[Note]) -> Note | None:
    return max(notes, key=lambda note: note.sequence, default=None)
