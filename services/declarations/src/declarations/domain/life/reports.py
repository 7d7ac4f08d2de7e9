"""Notes the claims of partners, and judges them again if a correction changes who is concerned."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from declarations.domain import authority, settling
from declarations.domain.claims import WithoutEffect
from declarations.domain.commands import NoteClaim
from declarations.domain.declaration import Declaration
from declarations.domain.events import Event
from declarations.domain.evolve import noted
from declarations.domain.law import Law
from declarations.domain.state import State


def note_claim(state: State, command: NoteClaim, _now: datetime, law: Law) -> Sequence[Event]:
    """Note a claim; without effect if its publisher is not concerned or the payment is in another currency."""
    claim = replace(command.claim, without_effect=authority.judge(command.claim, state.declaration, law.seats))
    return [noted(settling.judged(claim, state.assessment.total.currency if state.assessment else None))]


def judged_anew(state: State, corrected: Declaration, law: Law) -> Iterator[Event]:
    """The claims whose effect changes, because a correction makes their publishers concerned or not concerned."""
    for claim in state.claims:
        if claim.without_effect in (None, WithoutEffect.NOT_CONCERNED):
            why = authority.judge(claim, corrected, law.seats)
            if why is not claim.without_effect:
                yield noted(replace(claim, without_effect=why))
