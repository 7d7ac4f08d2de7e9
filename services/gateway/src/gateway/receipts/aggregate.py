"""The aggregate types of receipts.

There are two, because an aggregate type publishes on one topic.
"""

from collections.abc import Sequence

from pymongo import ASCENDING, IndexModel

from chassis.aggregates import AggregateType, dataclass_codec
from chassis.telemetry import UCR
from gateway.domain.receipt import KeepSubmission, Receipt, SubmissionReceived, decide, evolve
from gateway.receipts.messages import SubmissionMessages


def _receipts(
    name: str, collection: str, *indexes: IndexModel, tells_of: Sequence[str] = ()
) -> AggregateType[Receipt, KeepSubmission, SubmissionReceived]:
    return AggregateType(
        name=name,
        collection=collection,
        decide=decide,
        evolve=evolve,
        key=lambda receipt: receipt.key,
        codec=dataclass_codec(Receipt),
        messages=SubmissionMessages(),
        indexes=indexes,
        tells_of=tells_of,
        baggage=lambda receipt: {UCR: receipt.ucr} if receipt.ucr else {},
    )


PARTNER_RECEIPT = _receipts("partner_receipt", "partner_receipts")
"""Receipts of partner events; published on the partners' topic."""

FIRM_RECEIPT = _receipts(
    "firm_receipt",
    "firm_receipts",
    IndexModel([("state.declaration_id", ASCENDING)], sparse=True),
    tells_of=("declaration", "project", "mandate"),
)
"""Receipts of declarations, projects and mandates; published on the gateway's topic."""
