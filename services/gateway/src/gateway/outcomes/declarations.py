"""What firms are told of their declarations: facts of their owner, kept step by step, and put into words."""

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
"""Types of the facts that a firm is shown."""


class Outcomes(Protocol):
    async def note(self, steps: Sequence[tuple[str, Step]]) -> None:
        """Add steps to declarations by id; harmless to repeat."""
        ...

    async def steps(self, declaration_id: str) -> list[Step]: ...


def to_step(event: Event) -> Step:
    """What an event tells, as far as a firm is shown it."""
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
    assert isinstance(event.payload, DeclarationFact)  # noqa: S101 - what the subscription asks for
    return event.payload


def shown(id_: str, steps: Sequence[Step], spoken: str) -> dict[str, Any]:
    """What a submitter is shown of a declaration, from what is kept."""
    fields = summary(id_, steps)
    for name in ("errors", "warnings"):
        if name in fields:
            fields[name] = [_with_text(each, spoken) for each in fields[name]]
    return fields


def _with_text(error: Mapping[str, Any], spoken: str) -> dict[str, Any]:
    """An error of a declaration with its owner's text."""
    values = {"value": error.get("value", ""), "pointer": error["pointer"], **error.get("parameters", {})}
    return {**error, "text": in_words(error["code"], spoken, values)}
