"""Money that names a UCR alone: it reaches the account of the UCR, and what the account gives reaches declarations.

A declaration and an account find each other because each side is written first and looks for the other
then: an account is saved before its own event has the declarations of the UCR looked at; a declaration is
saved before its event looks whether there is an account. What is looked at is a set that only grows, so
that looking twice, or late, finds nothing new.
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
from declarations.domain.commands import TakeShare
from declarations.domain.correlation import OF_MONEY
from declarations.domain.declaration import Money
from declarations.domain.payments import Share
from declarations.domain.references import names_ucr_alone
from declarations.domain.settlement import PREFIX, Learn, settlement_id
from declarations.domain.spreading import Owed
from declarations.domain.state import State
from declarations.handlers import PartnerEventHandler, to_kept
from declarations.messages import claim, references_of
from declarations.ports import PartnerEvents
from declarations.settlement_aggregate import Settlements, reported
from values.references import Ucr

_NOTED = "trade.declarations.declaration.partner_event_noted.v1"
NEWS: Mapping[str, type[Payload]] = {
    "trade.declarations.declaration.assessed.v1": Assessed,
    _NOTED: PartnerEventNoted,
    "trade.declarations.settlement.report_noted.v1": ReportNoted,
}
"""Own events after which an account looks at the declarations of its UCR."""

ALLOCATED = "trade.declarations.settlement.allocated.v1"


class PaymentHandler:
    """Takes what banks report: to the declaration that it names, or to the account of the UCR that it names alone."""

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
            ended = await self._settlements.apply([to_input(each, _learn(each)) for each in pooled])
            outcomes |= dict(zip(map(_place, pooled), ended, strict=True))
        if named:
            outcomes |= dict(zip(map(_place, named), await self._reports.apply(named), strict=True))
        return [outcomes[_place(each)] for each in deliveries]

    def aggregates_of(self, target: str) -> Aggregates[Any, Any, Any]:
        return self._settlements if target.startswith(PREFIX) else self._reports.aggregates_of(target)


class AccountNews:
    """Lets accounts look at the declarations of their UCR, after what may have changed them."""

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
        looks = {id_: _look(ucr, [each for each in found if each.declaration.ucr == ucr]) for id_, ucr in ucrs.items()}
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
    """The declaration whose share an `allocated` event sets."""
    assert isinstance(event.payload, Allocated)  # noqa: S101 - the subscription says so
    return [event.payload.declaration_id]


def _names_ucr_alone(event: Event) -> bool:
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return names_ucr_alone(references_of(payload))


def _account(event: Event) -> Sequence[str]:
    """The account that a report which names a UCR alone is for; plans and estimates move no money."""
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    ucr = payload.references.ucr
    return [settlement_id(ucr)] if ucr and payload.classifier is Classifier.ACTUAL else []


def _learn(delivery: Delivery) -> Learn:
    event = delivery.event
    assert isinstance(event.payload, PartnerEvent)  # noqa: S101 - the subscription says so
    said = claim(event.envelope.id, event.envelope.type, event.payload).claim
    return Learn(delivery.target, Ucr(event.payload.references.ucr or ""), (reported(said, None),))


def _look(ucr: Ucr, states: Sequence[State]) -> Learn:
    """What the declarations of a UCR say of its money."""
    reports = (reported(each, state.id) for state in states for each in state.claims if each.kind in OF_MONEY)
    owed = (
        Owed(state.id, state.assessment.total, state.assessment.pay_by)
        for state in states
        if state.assessment is not None
    )
    return Learn(settlement_id(ucr), ucr, tuple(reports), tuple(owed))


def _account_of(payload: Payload) -> str | None:
    """The account that an own event is news for; None where it says nothing of money."""
    match payload:
        case PartnerEventNoted(kind=kind) if kind not in OF_MONEY:
            return None
        case ReportNoted(declaration_id=str()):
            return None  # its own look brought it
        case _:
            return settlement_id(_ucr(payload))


def _ucr(payload: Payload) -> str:
    assert isinstance(payload, DeclarationFact | ReportNoted)  # noqa: S101 - what `NEWS` holds
    return payload.ucr


def _place(delivery: Delivery) -> tuple[str, str]:
    return delivery.event.envelope.id, delivery.target
