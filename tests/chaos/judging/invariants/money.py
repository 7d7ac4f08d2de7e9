"""5, money: declarations never count more of a payment than its bank confirmed less what it reversed.

Computed from the banks' events at the doors and the events of declarations, independently of the platform's own sums.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from chaos.judging.invariants.ends import Ends
from chaos.judging.world import Said, World

from contracts.topics import DECLARATIONS, PARTNERS
from declarations.domain.settlement import settlement_id

CONFIRMED, REVERSED = "trade.partners.payment.confirmed.v1", "trade.partners.payment.reversed.v1"
ALLOCATED = "trade.declarations.settlement.allocated.v1"
REPORT_NOTED = "trade.declarations.settlement.report_noted.v1"
ASSESSED, EVENT_NOTED = (f"trade.declarations.declaration.{fact}.v1" for fact in ("assessed", "partner_event_noted"))
_COUNTED = tuple(f"trade.declarations.declaration.{fact}.v1" for fact in ("payment_recorded", "payment_reversed"))

Key = tuple[str, str, str]
"""Bank, its own reference, currency."""


def is_payment(said: Said) -> bool:
    return said.envelope.type in (CONFIRMED, REVERSED)


def account_of_report(said: Said) -> str | None:
    """The account targeted by a bank's event, if it is actual and names a UCR but none of its declarations."""
    payload = json.loads(said.data)
    named = payload["references"]
    if payload["classifier"] != "ACT" or named.get("payment_reference") or named.get("declaration_number"):
        return None
    return settlement_id(named["ucr"]) if named.get("ucr") else None


def account_of_news(said: Said) -> tuple[str, bool] | None:
    """The account that an event of declarations targets, and whether the account must exist."""
    payload = json.loads(said.data)
    type_ = said.envelope.type
    if type_ == REPORT_NOTED and payload.get("declaration_id") is None:
        return said.envelope.subject, True
    if type_ == ASSESSED or (type_ == EVENT_NOTED and payload["kind"].startswith("payment.")):
        return settlement_id(payload["ucr"]), False
    return None


def conserved(world: World) -> list[str]:
    """Payments of which declarations count more than exists."""
    available, settled = _available(Ends(world)), _settled(world)
    return [
        f"5: {bank} confirmed {available.get((bank, reference, currency), Decimal(0))} {currency} under {reference},"
        f" and {amount} is counted"
        for (bank, reference, currency), amount in sorted(settled.items())
        if amount > max(Decimal(0), available.get((bank, reference, currency), Decimal(0)))
    ]


def _available(ends: Ends) -> Mapping[Key, Decimal]:
    """Confirmed less reversed; parked reversals and retractions do not count yet."""
    said = [each for each in ends.world.first_said(PARTNERS.name).values() if is_payment(each)]
    payloads = [(each, json.loads(each.data)) for each in said]
    actual = [(each, payload) for each, payload in payloads if payload["classifier"] == "ACT"]
    back = {
        (payload["publisher"], payload.get("retracts_source") or payload.get("submission_source"), payload["retracts"])
        for each, payload in actual
        if payload.get("retracts") and not ends.parked("declarations", each)
    }
    sums: dict[Key, Decimal] = {}
    for each, payload in actual:
        own = payload["publisher"], payload.get("submission_source"), payload["submission_id"]
        if payload.get("retracts") or own in back:
            continue
        money = payload["amount"]
        key = payload["publisher"], payload["payment_reference"], money["currency"]
        if each.envelope.type == CONFIRMED:
            sums[key] = sums.get(key, Decimal(0)) + Decimal(money["amount"])
        elif not ends.parked("declarations", each):
            sums[key] = sums.get(key, Decimal(0)) - Decimal(money["amount"])
    return sums


def _settled(world: World) -> Mapping[Key, Decimal]:
    """What all declarations count of each payment, by the latest event of each."""
    last: dict[str, Mapping[str, Any]] = {}
    for each in world.first_said(DECLARATIONS.name).values():
        if each.envelope.type in _COUNTED:
            last[each.envelope.subject] = json.loads(each.data)
    sums: dict[Key, Decimal] = {}
    for payload in last.values():
        for key, amount in _parts(payload):
            sums[key] = sums.get(key, Decimal(0)) + amount
    return sums


def _parts(payload: Mapping[str, Any]) -> Iterator[tuple[Key, Decimal]]:
    for part in payload.get("parts", ()):
        yield (part["publisher"], part["payment_reference"], payload["paid"]["currency"]), Decimal(part["amount"])
