"""Three releases of the real declarations: the later ones count a declaration's events in a further field.

TRADE_RELEASE=2 python -m chaos.releases.newer_declarations        in place of `python -m declarations`
"""

from dataclasses import dataclass, fields
from unittest.mock import patch

from chaos.releases.succession import of_release

from chassis.aggregates import AggregateType
from chassis.aggregates.codec import dataclass_codec
from chassis.assembly import Assembly
from chassis.process import main
from declarations import app
from declarations.aggregate import declaration_type
from declarations.domain.commands import Command
from declarations.domain.events import Event
from declarations.domain.evolve import evolve
from declarations.domain.law import Law
from declarations.domain.state import State
from declarations.settings import DeclarationsSettings


class ReleaseSettings(DeclarationsSettings):
    release: int = 1


@dataclass(frozen=True, slots=True)
class NewerState(State):
    steps: int = 0
    """How many of its events these releases have seen, over all its versions."""


def _evolve(state: State | None, event: Event) -> State:
    after = evolve(state, event)
    before = state.steps if isinstance(state, NewerState) else 0
    return NewerState(**{each.name: getattr(after, each.name) for each in fields(State)}, steps=before + 1)


def build(settings: ReleaseSettings) -> Assembly:
    """The service as it is composed, but for what a declaration is."""

    def type_of_release(law: Law) -> AggregateType[State, Command, Event]:
        first = declaration_type(law)
        return of_release(settings.release, first, evolve=_evolve, codec=dataclass_codec(NewerState))

    with patch.object(app, "declaration_type", type_of_release):
        return app.build(settings)


if __name__ == "__main__":
    main(build, ReleaseSettings)
