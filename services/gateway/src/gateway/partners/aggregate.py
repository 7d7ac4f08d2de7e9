"""The aggregate type of partners and the encoding of their events."""

from dataclasses import asdict
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
from contracts.gateway import v1
from gateway.domain.partner import Command, Event, Granted, Partner, Registered, Revoked, decide, evolve

RegisteredPartners: TypeAlias = Aggregates[Partner, Command, Event]

_TYPES: dict[type[Any], str] = {
    Registered: "trade.gateway.partner.registered.v1",
    Granted: "trade.gateway.partner.granted.v1",
    Revoked: "trade.gateway.partner.revoked.v1",
}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {type_: TypeAdapter(event) for event, type_ in _TYPES.items()}


class PartnerMessages:
    """Encodes partner events; an event and its contract have the same field names."""

    def encode(self, event: Event, state: Partner) -> tuple[str, bytes]:  # noqa: ARG002 - the event carries everything
        type_ = _TYPES[type(event)]
        return type_, v1.PARTNER_FACTS[type_].model_validate(asdict(event)).model_dump_json().encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        event: Event = _ADAPTERS[type].validate_json(data)
        return event


PARTNER: AggregateType[Partner, Command, Event] = AggregateType(
    name="partner",
    collection="partners",
    decide=decide,
    evolve=evolve,
    key=lambda partner: partner.code,
    codec=dataclass_codec(Partner),
    messages=PartnerMessages(),
    tells_of=("partner",),
)
