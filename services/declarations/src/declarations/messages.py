"""Domain events ↔ contracts; submissions and partner events → commands.

An event and its contract have the same field names, so encoding is a copy: the contract validates the
output, the domain's own types parse the input.
"""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from chassis.delivery import Event as Received
from contracts.declarations import v1
from contracts.gateway.v1 import DeclarationSubmitted
from contracts.partners.v1 import PartnerEvent
from declarations.domain import events
from declarations.domain.claims import Claim, Kind
from declarations.domain.commands import Lodge, NoteClaim
from declarations.domain.deadlines import DEADLINES
from declarations.domain.references import References
from declarations.domain.regions import regions, summary
from declarations.domain.state import State
from values.references import declaration_id

_PASSINGS = {row.event.__name__: row.event for row in DEADLINES.values()}

EVENT_CLASSES: dict[str, Any] = {
    type_: _PASSINGS.get(payload.__name__) or getattr(events, payload.__name__)
    for type_, payload in v1.DECLARATION_EVENTS.items()
}
"""Event type → class of the domain event: the contract's has the same name."""

_TYPES = {domain: type_ for type_, domain in EVENT_CLASSES.items()}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {type_: TypeAdapter(domain) for type_, domain in EVENT_CLASSES.items()}
_LODGE: TypeAdapter[Lodge] = TypeAdapter(Lodge)
_CLAIM: TypeAdapter[Claim] = TypeAdapter(Claim)


class DeclarationMessages:
    """Events of a declaration on the wire."""

    def encode(self, event: events.Event, state: State) -> tuple[str, bytes]:
        type_ = _TYPES[type(event)]
        payload = v1.DECLARATION_EVENTS[type_].model_validate({**_fact(state), **asdict(event)})
        return type_, payload.model_dump_json().encode()

    def decode(self, type: str, data: bytes) -> events.Event:  # noqa: A002 - CloudEvents' own name
        """Raises KeyError for a type that is not a declaration's, ValidationError for a payload that does not fit."""
        event: events.Event = _ADAPTERS[type].validate_json(data)
        return event


def _fact(state: State) -> dict[str, Any]:
    """The fields that every event has."""
    declaration = state.declaration
    return {
        "declaration_id": state.id,
        "lrn": declaration.lrn,
        "ucr": declaration.ucr,
        "direction": declaration.direction.value,
        "declaration_number": state.number,
        "parties": [asdict(party) for party in declaration.parties],
        "main_status": state.status,
        "regions": summary(regions(state)),
    }


def submission(payload: DeclarationSubmitted) -> Lodge:
    """The command of a firm's submission."""
    fields = payload.model_dump(mode="json")
    return _LODGE.validate_python({**fields, "declaration_id": submission_target(payload)})


def submission_target(payload: DeclarationSubmitted) -> str:
    """The id of a submission's declaration."""
    declarant = next(
        (party.identifier for party in payload.declaration.parties if party.role == "declarant"), payload.firm
    )
    return declaration_id(declarant.number, payload.declaration.lrn)


def kind_of(type_: str) -> Kind:
    """Aggregate and fact of a partner event's type: `trade.partners.hold.placed.v1` is `hold.placed`."""
    _, _, aggregate, fact, _ = type_.split(".")
    return Kind(f"{aggregate}.{fact}")


def references_of(payload: PartnerEvent) -> References:
    return References(**payload.references.model_dump())


def claim(event_id: str, type_: str, payload: PartnerEvent) -> NoteClaim:
    """The command of a partner's event."""
    fields = payload.model_dump(mode="json", exclude={"classifier"})
    return NoteClaim(_CLAIM.validate_python({**fields, "event_id": event_id, "kind": kind_of(type_)}))


def lodging(event: Received) -> Lodge:
    """The command of a `trade.gateway.declaration.submitted.v1`."""
    assert isinstance(event.payload, DeclarationSubmitted)  # noqa: S101 - the subscription says so
    return submission(event.payload)
