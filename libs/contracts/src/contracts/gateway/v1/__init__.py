"""Submissions of firms, published by the gateway on `gateway.events.v1`.

A submission is authenticated and readable, but not checked yet: declarations validates declarations, matching judges
projects and mandates.
"""

from contracts.gateway.v1.declaration import (
    Charge,
    ChargeCode,
    Declaration,
    DeclarationFunction,
    Document,
    GoodsItem,
    Preference,
    Transport,
)
from contracts.gateway.v1.investment import Instrument, Mandate, Project
from contracts.gateway.v1.partners import PARTNER_FACTS, PartnerFact, PartnerGranted, PartnerRegistered, PartnerRevoked
from contracts.gateway.v1.receipt import ReceiptFacts, ReceiptWarning
from contracts.gateway.v1.submissions import SUBMISSIONS, DeclarationSubmitted, MandateSubmitted, ProjectSubmitted
from contracts.values import Payload

__all__ = [
    "EVENTS",
    "PARTNER_FACTS",
    "SUBMISSIONS",
    "Charge",
    "ChargeCode",
    "Declaration",
    "DeclarationFunction",
    "DeclarationSubmitted",
    "Document",
    "GoodsItem",
    "Instrument",
    "Mandate",
    "MandateSubmitted",
    "PartnerFact",
    "PartnerGranted",
    "PartnerRegistered",
    "PartnerRevoked",
    "Preference",
    "Project",
    "ProjectSubmitted",
    "ReceiptFacts",
    "ReceiptWarning",
    "Transport",
]

EVENTS: dict[str, type[Payload]] = {**SUBMISSIONS, **PARTNER_FACTS}
"""Event type on the wire → payload."""
