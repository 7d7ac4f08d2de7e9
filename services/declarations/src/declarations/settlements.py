"""Delivers payments that name only a UCR to the UCR's account, and the account's allocations to declarations.

A declaration and an account find each other because each side is saved before it queries the other: an account
is saved before its event triggers the query for the UCR's declarations; a declaration is saved before its event
queries for an account. The queried data only grows, so a repeated or late query adds nothing twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.aggregates import Aggregates, Outcome
from chassis.delivery import Delivery, Event, to_input
from contracts.declarations.settlement import Allocated, ReportNoted
from contracts.declarations.v1 import Assessed, DeclarationFact, PartnerEventNoted
from contracts.partners.v1 import PartnerEvent
from contracts.values import Classifier, Payload
from declarations.aggregate import UCR, Declarations
from declarations.domain.allocation import Owed
from declarations.domain.commands import TakeShare
from declarations.domain.correlation import OF_MONEY
from declarations.domain.declaration import Money
from declarations.domain.payments import Share
from declarations.domain.references import names_ucr_alone
from declarations.domain.settlement import PREFIX, UpdateAccount, settlement_id
from declarations.domain.state import State
from declarations.handlers import PartnerEventHandler, to_kept
from declarations.messages import claim, references_of
from declarations.ports import PartnerEvents
from declarations.settlement_aggregate import Settlements, reported
from values.references import Ucr

_NOTED = "trade.declarations.declaration.partner_event_noted.v1"
ACCOUNT_EVENTS: Mapping[str, type[Payload]] = {
    "trade.declarations.declaration.assessed.v1": Assessed,
    _NOTED: PartnerEventNoted,
    "trade.declarations.settlement.report_noted.v1": ReportNoted,
}
"""Own events after which an account queries the declarations of its UCR."""

ALLOCATED = "trade.declarations.settlement.allocated.v1"


class PaymentHandler:
    """Delivers a bank's report to the declaration that it names, or, if it names only a UCR, to the UCR's account."""

    def __init__(self, reports: PartnerEventHandler, events: PartnerEvents, settlements: Settlements) -> None:
        self._reports = reports
        self._events = events
        self._settlements = settlements

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        pooled = [event for event in events if _names_ucr_alone(event)]
        await self._events.keep([to_kept(event) for event in pooled])
        named = [event for event in events if not _names_ucr_alone(event)]
        found = dict(zip((event.envelope.id for event in named), await self._reports.targets(named), strict=True))
        return [found.get(event.envelope.id, _account(event)) for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        pooled = [each for each in deliveries if each.target.startswith(PREFIX)]
        named = [each for each in deliveries if not each.target.startswith(PREFIX)]
        outcomes: dict[tuple[str, str], Outcome[Any]] = {}
        if pooled:
            ended = await self._settlements.apply([to_input(each, _from_report(each)) for each in pooled])
            outcomes |= dict(zip(map(_place, pooled), ended, strict=True))
        if named:
            outcomes |= dict(zip(map(_place, named), await self._reports.apply(named), strict=True))
        return [outcomes[_place(each)] for each in deliveries]

    def aggregates_of(self, target: str) -> Aggregates[Any, Any, Any]:
        return self._settlements if target.startswith(PREFIX) else self._reports.aggregates_of(target)


class AccountUpdates:
    """Updates accounts from the declarations of their UCR after events that may have changed these."""

    def __init__(self, settlements: Settlements, declarations: Declarations) -> None:
        self._settlements = settlements
        self._declarations = declarations

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        wanted = {event.envelope.id: _account_of(event.payload) for event in events}
        ids = sorted({id_ for id_ in wanted.values() if id_})
        there = {each.id for each in await self._settlements.find({"_id": {"$in": ids}})} if ids else set()
        return [[id_] if (id_ := wanted[event.envelope.id]) in there else [] for event in events]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        ucrs = {each.target: Ucr(_ucr(each.event.payload)) for each in deliveries}
        found = await self._declarations.find({UCR: {"$in": sorted(set(ucrs.values()))}}, sort=[("_id", 1)])
        looks = {
            id_: _from_declarations(ucr, [each for each in found if each.declaration.ucr == ucr])
            for id_, ucr in ucrs.items()
        }
        return await self._settlements.apply([to_input(each, looks[each.target]) for each in deliveries])

    def aggregates_of(self, _target: str) -> Settlements:
        return self._settlements


def take_share(event: Event) -> TakeShare:
    """The command of an `allocated` event."""
    said = event.payload
    assert isinstance(said, Allocated)  # noqa: S101 - the subscription says so
    money = Money(said.amount.amount, said.amount.currency)
    return TakeShare(Share(said.publisher, said.payment_reference, money, said.in_time, said.allocation))


def share_of(event: Event) -> Sequence[str]:
    """The declaration of an `allocated` event's share."""
    assert isinstance(event.payload, Allocated)  # noqa: S101 - the subscription says so
    return [event.payload.declaration_id]


def _names_ucr_alone(event: Event) -> bool:
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return names_ucr_alone(references_of(payload))


def _account(event: Event) -> Sequence[str]:
    """The account of a report that names only a UCR; empty for plans and estimates, which are not payments."""
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    ucr = payload.references.ucr
    return [settlement_id(ucr)] if ucr and payload.classifier is Classifier.ACTUAL else []


def _from_report(delivery: Delivery) -> UpdateAccount:
    event = delivery.event
    assert isinstance(event.payload, PartnerEvent)  # noqa: S101 - the subscription says so
    said = claim(event.envelope.id, event.envelope.type, event.payload).claim
    return UpdateAccount(delivery.target, Ucr(event.payload.references.ucr or ""), (reported(said, None),))


def _from_declarations(ucr: Ucr, states: Sequence[State]) -> UpdateAccount:
    """The assessments and payment reports of a UCR's declarations."""
    reports = (reported(each, state.id) for state in states for each in state.claims if each.kind in OF_MONEY)
    owed = (
        Owed(state.id, state.assessment.total, state.assessment.pay_by)
        for state in states
        if state.assessment is not None
    )
    return UpdateAccount(settlement_id(ucr), ucr, tuple(reports), tuple(owed))


def _account_of(payload: Payload) -> str | None:
    """The account that an own event concerns; None if it is not about money."""
    match payload:
        case PartnerEventNoted(kind=kind) if kind not in OF_MONEY:
            return None
        case ReportNoted(declaration_id=str()):
            return None  # it results from the account's own query
        case _:
            return settlement_id(_ucr(payload))


def _ucr(payload: Payload) -> str:
    assert isinstance(payload, DeclarationFact | ReportNoted)  # noqa: S101 - `ACCOUNT_EVENTS` has only these
    return payload.ucr


def _place(delivery: Delivery) -> tuple[str, str]:
    return delivery.event.envelope.id, delivery.target
