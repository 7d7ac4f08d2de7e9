"""Maps what a shipment waits for to the event that the responsible partner sends.

Ids derive from the shipment and the move, so that a repeated move counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Fields = Mapping[str, Any]

PLACE = {"unlocode": "CNTAO", "facility": "Qianwan terminal"}


@dataclass(frozen=True, slots=True)
class Move:
    """One event of one partner."""

    partner: str
    fact: str


MOVES: Mapping[str, Move] = {
    "arrival": Move("port-qd", "shipment.arrived"),
    "document_check": Move("customs-qd", "control.documents_accepted"),
    "documents": Move("customs-qd", "control.documents_accepted"),
    "inspection": Move("customs-qd", "control.inspection_completed"),
    "payment": Move("bank-qd", "payment.confirmed"),
    "presentation": Move("port-qd", "shipment.gate_in"),
    "removal": Move("port-qd", "shipment.gate_out"),
    "exit": Move("customs-qd", "exit.confirmed"),
}
"""What a shipment waits for, as tracking reports it → the partner and event that answer it."""


def event(ucr: str, waiting_for: str, *, now: datetime, due: Fields | None = None, pays: str | None = None) -> Fields:
    """The CloudEvent of a move.

    Args:
        due: amount and currency that a payment settles.
        pays: payment reference of the assessment that it settles; without one it names only the UCR.

    Raises:
        KeyError: no partner answers this.
    """
    move = MOVES[waiting_for]
    data: dict[str, Any] = {
        "classifier": "ACT",
        "occurred_at": now.isoformat(),
        "location": PLACE,
        "references": {"ucr": ucr},
    }
    if move.fact == "payment.confirmed":
        if pays:
            data["references"] = {"ucr": ucr, "payment_reference": pays}
        data |= {"amount": dict(due or {}), "payment_reference": f"PAY-{ucr}"[:35]}
    if move.fact == "control.inspection_completed":
        data["result"] = "conform"
    return {
        "specversion": "1.0",
        "id": f"{ucr}/{move.fact}",
        "source": f"/{move.partner}",
        "type": f"trade.partners.{move.fact}.v1",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def money_of(text: str) -> Fields | None:
    """`655000.00 CNY` → amount and currency; None if nothing is due."""
    amount, _, currency = text.partition(" ")
    return {"amount": amount, "currency": currency} if currency else None
