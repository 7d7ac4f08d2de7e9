"""The aggregate type of a UCR's account, and its events ↔ contracts."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from chassis.aggregates import Aggregates, AggregateType, dataclass_codec
from contracts.declarations import settlement as contract
from declarations.domain.allocation import Owed, Report
from declarations.domain.claims import Claim
from declarations.domain.settlement import (
    Allocated,
    AssessmentNoted,
    Event,
    Given,
    ReportNoted,
    Settlement,
    UpdateAccount,
    decide,
    evolve,
)
from values.references import Ucr

Settlements: TypeAlias = Aggregates[Settlement, UpdateAccount, Event]

_TYPES = {payload.__name__: type_ for type_, payload in contract.EVENTS.items()}
_REPORTED = tuple(
    {field.name for field in fields(Claim)} & set(contract.ReportNoted.model_fields) - {"received_at", "references"}
)
"""Fields with the same name in a claim and in the event of a report."""

_CLAIM: TypeAdapter[Claim] = TypeAdapter(Claim)
_OWED: TypeAdapter[Owed] = TypeAdapter(Owed)
_GIVEN: TypeAdapter[Given] = TypeAdapter(Given)


class SettlementMessages:
    """Events of an account on the wire."""

    def encode(self, event: Event, state: Settlement) -> tuple[str, bytes]:
        type_ = _TYPES[type(event).__name__]
        payload = contract.EVENTS[type_].model_validate(
            {"settlement_id": state.id, "ucr": state.ucr, **_fields(event)}, from_attributes=True
        )
        return type_, payload.model_dump_json().encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        """Raises KeyError for a type that is not an account's, ValidationError for a payload that does not fit."""
        payload = contract.EVENTS[type].model_validate_json(data)
        said = payload.model_dump(mode="json")
        match payload:
            case contract.ReportNoted():
                claim = _CLAIM.validate_python({**said, "received_at": said["event_received_at"]})
                return ReportNoted(payload.settlement_id, Ucr(payload.ucr), Report(payload.declaration_id, claim))
            case contract.AssessmentNoted():
                return AssessmentNoted(_OWED.validate_python(said))
            case contract.Allocated():
                return Allocated(_GIVEN.validate_python(said), payload.allocation, payload.allocated_at)
            case _:
                raise TypeError(f"{payload!r} is not an event of an account")


def _fields(event: Event) -> Mapping[str, Any]:
    match event:
        case ReportNoted(report=report):
            claim = report.claim
            reported = {name: getattr(claim, name) for name in _REPORTED}
            return {**reported, "event_received_at": claim.received_at, "declaration_id": report.declaration_id}
        case AssessmentNoted(owed=owed):
            return {field.name: getattr(owed, field.name) for field in fields(owed)}
        case Allocated(given=given):
            own = {field.name: getattr(given, field.name) for field in fields(given)}
            return {**own, "allocation": event.allocation, "allocated_at": event.allocated_at}


def reported(claim: Claim, declaration_id: str | None) -> Report:
    """A bank's claim as a report, reduced to the data that an account needs."""
    return Report(declaration_id, replace(claim, grants=None, references=None, location=None))


SETTLEMENT: AggregateType[Settlement, UpdateAccount, Event] = AggregateType(
    name="settlement",
    collection="settlements",
    decide=decide,
    evolve=evolve,
    key=lambda state: state.ucr,
    codec=dataclass_codec(Settlement),
    messages=SettlementMessages(),
    baggage=lambda state: {"trade.ucr": state.ucr},
)
