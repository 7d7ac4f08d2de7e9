"""Outcomes of declarations for firms: stores the facts of declarations as steps and renders them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chassis.delivery import Event
from contracts.declarations.v1 import EVENTS, DeclarationFact
from contracts.values import Payload
from gateway.domain.outcome import SHOWN, Step, summary
from gateway.http.wording import in_words

_PREFIX, _SUFFIX = "trade.declarations.declaration.", ".v1"

SHOWN_EVENTS: Mapping[str, type[Payload]] = {
    type_: payload for type_, payload in EVENTS.items() if type_.removeprefix(_PREFIX).removesuffix(_SUFFIX) in SHOWN
}
"""Event types of the facts shown to a firm."""


class Outcomes(Protocol):
    async def note(self, steps: Sequence[tuple[str, Step]]) -> None:
        """Add steps to declarations by id; harmless to repeat."""
        ...

    async def steps(self, declaration_id: str) -> list[Step]: ...


def to_step(event: Event) -> Step:
    """The part of an event that is shown to a firm."""
    fact = event.envelope.type.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    fields = _fact(event).model_dump(mode="json", exclude_none=True)
    return Step(
        event=event.envelope.id,
        sequence=event.envelope.sequence,
        fact=fact,
        at=event.envelope.time.isoformat(),
        receipt=fields.get("receipt_id", ""),
        details={name: fields[name] for name in SHOWN[fact] if name in fields},
    )


def _fact(event: Event) -> DeclarationFact:
    assert isinstance(event.payload, DeclarationFact)  # noqa: S101 - the subscription has only these
    return event.payload


def shown(id_: str, steps: Sequence[Step], lang: str) -> dict[str, Any]:
    """The view of a declaration for its submitter, from its stored steps."""
    fields = summary(id_, steps)
    for name in ("errors", "warnings"):
        if name in fields:
            fields[name] = [_with_text(each, lang) for each in fields[name]]
    return fields


def _with_text(error: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """An error of a declaration with its text."""
    values = {"value": error.get("value", ""), "pointer": error["pointer"], **error.get("parameters", {})}
    return {**error, "text": in_words(error["code"], lang, values)}
