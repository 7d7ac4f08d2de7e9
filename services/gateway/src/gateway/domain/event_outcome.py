"""What became of a partner's event, per declaration: from what declarations notes of it.

    waiting         no declaration has what the event names yet
    applied         it counts for the declaration
    without_effect  it is noted there and changes nothing; the reason says why
    retracted       the partner took it back
    expectation     planned or estimated: no declaration is changed by it

A declaration may note an event again where a correction changes whether it counts: the last note holds.
A retraction may come before what it takes back: until that is noted too, it has no effect.
Money that names a UCR alone is noted by the account of that UCR, and counts for the declarations that it
was spread over; until one of them is assessed it waits.
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
"""Why a retraction has no effect: no event of its publisher and source has that id where it was noted."""
_GRAVEST_LAST = (RETRACTED, WITHOUT_EFFECT, APPLIED)
"""Of several declarations the event as a whole is the last of these that one of them is."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a declaration, or an account, noted of an event: the event itself, or its retraction."""

    event: str
    """Id of the event that says so."""
    sequence: int
    declaration_id: str
    """Empty where the account of a UCR noted it."""
    at: str
    """RFC 3339."""
    retraction: bool = False
    reason: str = ""
    """Why it has no effect; empty where it counts."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the reason's text puts in."""
    takes_back: str = ""
    """Of a retraction's own note: the receipt of the event that it names."""
    payment: str = ""
    """The payment, by the id that its shares are kept under, where the account of a UCR noted it."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a declaration gets of a payment that named its UCR alone, in all."""

    event: str
    """Id of the account's event that says so."""
    sequence: int
    declaration_id: str
    at: str
    """RFC 3339."""
    amount: str
    """Decimal string in major units."""
    currency: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event for one declaration."""

    declaration_id: str
    """Empty where none has a part in it: what the account of the UCR says."""
    status: str
    at: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    share: Share | None = None
    """What the declaration gets of a payment that named its UCR alone."""


def judged(note: Note, of_target: Sequence[Note]) -> Note:
    """A retraction's own note: without effect while what it names was not noted where the retraction was.

    An account and the declarations of its UCR know of the same money: a note of the one is enough for the other.
    """
    if not note.takes_back or note.reason:
        return note
    told = {each.declaration_id for each in of_target if not each.retraction}
    found = told & {note.declaration_id, ""} if note.declaration_id else told
    return note if found else replace(note, reason=NOTHING_TAKEN_BACK)


def outcomes(notes: Sequence[Note], shares: Sequence[Share] = ()) -> list[Outcome]:
    """One outcome for each declaration that noted the event or has a share of it, by id.

    Where only its retraction was noted, by a declaration that never had the event, there is nothing to tell.
    """
    told = {note.declaration_id for note in notes if not note.retraction}
    of_declarations = told and "" not in told
    return [
        outcome
        for id_ in sorted(told if of_declarations else {note.declaration_id for note in notes})
        for outcome in _spread(_outcome([note for note in notes if note.declaration_id == id_]), shares)
    ]


def status_of(classifier: str, found: Sequence[Outcome]) -> str:
    """What became of the event as a whole; an unknown classifier is one of before it was kept."""
    if classifier not in ("", ACTUAL):
        return EXPECTATION
    present = {each.status for each in found}
    return next((status for status in reversed(_GRAVEST_LAST) if status in present), WAITING)


def _spread(outcome: Outcome, shares: Sequence[Share]) -> list[Outcome]:
    """Of what an account counts, what declarations got of it, or that it waits; anything else as it is."""
    if outcome.declaration_id or outcome.status != APPLIED:
        return [outcome]
    last = {(each.declaration_id, each.currency): each for each in sorted(shares, key=lambda each: each.sequence)}
    found = [Outcome(each.declaration_id, APPLIED, each.at, share=each) for _, each in sorted(last.items())]
    return found or [Outcome("", WAITING, outcome.at)]


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
