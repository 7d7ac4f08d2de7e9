"""Receipts: the gateway's word that it has a submission, and the one event that passes it on.

Owns: receipts, original bytes, how both are kept, answered and shown. Keeps: what is said to be taken is durable, and
the same submission finds its first receipt. Must not know who submits what, nor what becomes of it.
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
