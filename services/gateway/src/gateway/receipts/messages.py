"""Submissions ↔ contracts: encodes the published events, and reads receipts back from them."""

from contracts.gateway.v1 import SUBMISSIONS, DeclarationSubmitted, MandateSubmitted, ProjectSubmitted
from contracts.limits import exceeded
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.partners.v1 import PartnerEvent
from contracts.values import PartyRole
from gateway.domain.faults import Fault, Refused
from gateway.domain.receipt import KeepSubmission, Receipt, SubmissionReceived, SubmissionWarning, kind_of
from values.identifiers import Identifier
from values.references import Lrn, declaration_id

DECLARATION = "trade.gateway.declaration.submitted.v1"
PROJECT = "trade.gateway.project.submitted.v1"
MANDATE = "trade.gateway.mandate.submitted.v1"

Submitted = PartnerEvent | DeclarationSubmitted | ProjectSubmitted | MandateSubmitted


def to_command(type_: str, payload: Submitted) -> KeepSubmission:
    """The command that stores and publishes a payload, which contains its receipt's facts.

    Raises:
        Refused: the payload exceeds what later steps can process.
    """
    if (over := exceeded(payload)) is not None:
        fault = Fault(f"limit.{over.code}", over.pointer, {"limit": over.limit, "found": over.found})
        raise Refused("too-large", [fault], limit=over.limit)
    return KeepSubmission(_receipt(type_, payload), payload.model_dump_json(exclude_none=True))


def _receipt(type_: str, payload: Submitted) -> Receipt:
    """The state of a receipt, read from the published payload.

    Raises:
        ValueError: the payload does not contain a receipt's facts.
    """
    facts = payload.receipt
    kind = kind_of(facts.id) if facts is not None else None
    if facts is None or kind is None:
        raise ValueError(f"{type_} carries no receipt")
    ucr, key, declarant, reference = _subject(payload)
    return Receipt(
        id=facts.id,
        kind=kind,
        submitter=facts.submitter,
        source=facts.source,
        submission_id=facts.submission_id,
        content_hash=facts.content_hash,
        media_type=facts.media_type,
        original=facts.original,
        received_at=payload.received_at,
        type=type_,
        key=ucr or key or facts.id,
        ucr=ucr,
        declarant=declarant,
        lrn=reference,
        declaration_id=declaration_id(Identifier.parse(declarant), Lrn(reference)) if declarant else "",
        classifier=payload.classifier.value if isinstance(payload, PartnerEvent) else "",
        not_read=facts.not_read,
        warnings=tuple(
            SubmissionWarning(each.code, each.pointer, each.value, each.expected) for each in facts.warnings
        ),
    )


def _subject(payload: Submitted) -> tuple[str, str, str, str]:
    """UCR, fallback key, declarant, own reference; empty if there is none."""
    match payload:
        case DeclarationSubmitted(declaration=declaration):
            declarants = (party.identifier for party in declaration.parties if party.role is PartyRole.DECLARANT)
            return declaration.ucr, "", str(next(declarants, "")), declaration.lrn
        case ProjectSubmitted(project=project):
            return "", "", "", project.reference
        case MandateSubmitted(mandate=mandate):
            return "", "", "", mandate.reference
        case PartnerEvent(references=given):
            key = given.payment_reference or given.declaration_number or given.transport_document or given.container
            return given.ucr or "", key or "", "", ""


class SubmissionMessages:
    """Publishes the payload as it was made on receipt."""

    def encode(self, event: SubmissionReceived, state: Receipt) -> tuple[str, bytes]:  # noqa: ARG002 - the event carries everything
        return event.receipt.type, event.payload.encode()

    def decode(self, type: str, data: bytes) -> SubmissionReceived:  # noqa: A002 - CloudEvents' own name
        payload = {**SUBMISSIONS, **PARTNER_EVENTS}[type].model_validate_json(data)
        assert isinstance(payload, Submitted)  # noqa: S101 - the table above has no other types
        return SubmissionReceived(_receipt(type, payload), data.decode())
