"""Receipts: the gateway's record of a submission, and the event that publishes it.

Owns: receipts and original bytes, their storage and their answers. Keeps: an accepted submission is durable, and a
repeated submission gets its first receipt. Must not know the kinds of submissions, nor their outcomes.
"""

from gateway.receipts.aggregate import FIRM_RECEIPT, PARTNER_RECEIPT
from gateway.receipts.answers import accepted, receipt_fields
from gateway.receipts.keeping import Original, Receipts, Submission, Taken
from gateway.receipts.messages import DECLARATION, MANDATE, PROJECT, Submitted, to_command
from gateway.receipts.routes import router
from gateway.receipts.store import MongoOriginals

__all__ = [
    "DECLARATION",
    "FIRM_RECEIPT",
    "MANDATE",
    "PARTNER_RECEIPT",
    "PROJECT",
    "MongoOriginals",
    "Original",
    "Receipts",
    "Submission",
    "Submitted",
    "Taken",
    "accepted",
    "receipt_fields",
    "router",
    "to_command",
]
