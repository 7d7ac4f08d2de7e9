"""The use case of partner events: authorise, validate, stamp, store; the same over HTTP and Kafka.

Each event of a batch is handled on its own. Only valid events are stored; all faults are reported at
once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from contracts.gateway.v1 import ReceiptFacts
from contracts.partners.v1 import EVENTS, PartnerEvent, PaymentConfirmed, PaymentReversed
from gateway.domain.access import Principal
from gateway.domain.faults import Fault, Refused
from gateway.domain.receipt import Kind, receipt_id
from gateway.formats.cloudevents import PartnerCloudEvent
from gateway.formats.validation import MAX_NOT_READ, unknown_fields, validate, warnings
from gateway.partners import plausible
from gateway.partners.plausible import Limits
from gateway.receipts import Original, Receipts, Submission, Taken, to_command

_STAMPED = ("received_at", "publisher", "publisher_role", "grants", "submission_id", "submission_source", "receipt")
"""Fields of a partner event that the gateway sets, overwriting any value from the partner."""


async def take_events(
    receipts: Receipts,
    principal: Principal,
    events: Sequence[PartnerCloudEvent | Refused],
    received_at: Sequence[datetime],
    traces: Sequence[Mapping[str, str]],
    limits: Limits,
) -> list[Taken | Refused]:
    """Store partner events; returns for each its receipt or its refusal."""
    answers: list[Taken | Refused | None] = []
    good: list[Submission] = []
    for event, at, trace in zip(events, received_at, traces, strict=True):
        try:
            if isinstance(event, Refused):
                raise event
            good.append(_partner_submission(principal, event, at, trace, limits))
            answers.append(None)
        except Refused as refused:
            answers.append(refused)
    kept = iter(await receipts.keep(good))
    return [answer if answer is not None else next(kept) for answer in answers]


def _partner_submission(
    principal: Principal, event: PartnerCloudEvent, received_at: datetime, trace: Mapping[str, str], limits: Limits
) -> Submission:
    contract = EVENTS.get(event.type)
    if contract is None:
        raise Refused("unknown-event-type", [Fault("event.type", "/type", {"type": event.type}, event.type)])
    if not principal.may_report(event.type):
        raise Refused("scope-missing", [Fault("access.scope", "/type", {"scope": f"events.write:{event.type}"})])
    owner = principal.owner
    original = Original(event.original, event.media_type)
    facts = _facts(owner.actor, event, original)
    stamps = {
        "received_at": received_at,
        "publisher": owner.code,
        "publisher_role": owner.role,
        "submission_id": event.id,
        "submission_source": event.source,
        "grants": asdict(principal.grants),
        "receipt": facts,
    }
    if event.data.get("retracts") is not None and event.data.get("retracts_source") is None:
        stamps["retracts_source"] = event.source
    payload, faults = validate(contract, {**event.data, **stamps}, "/data")
    if payload is None:
        raise Refused("invalid-event", faults)
    given = {name: value for name, value in event.data.items() if name not in _STAMPED}
    faults = [*_reference_faults(payload), *_retraction_faults(payload), *plausible.faults(payload, limits)]
    if faults:
        raise Refused("invalid-event", faults)
    facts = facts.model_copy(
        update={
            "not_read": (*event.not_read, *unknown_fields(given, payload, "/data"))[:MAX_NOT_READ],
            "warnings": (*warnings(payload, "/data"), *plausible.warnings(payload)),
        }
    )
    command = to_command(event.type, payload.model_copy(update={"receipt": facts}))
    return Submission(command, original, trace)


def _facts(submitter: str, event: PartnerCloudEvent, original: Original) -> ReceiptFacts:
    return ReceiptFacts(
        id=receipt_id(Kind.EVENT, submitter, event.source, event.id),
        submitter=submitter,
        source=event.source,
        submission_id=event.id,
        content_hash=event.content_hash,
        media_type=event.media_type,
        original=original.id,
    )


def _retraction_faults(event: PartnerEvent) -> list[Fault]:
    """The fault of an event that retracts itself, which would otherwise have effect as an ordinary event."""
    own = event.submission_id, event.submission_source
    if event.retracts is None or (event.retracts, event.retracts_source) != own:
        return []
    return [Fault("event.retracts_itself", "/data/retracts", {"value": event.retracts}, event.retracts)]


def _reference_faults(event: PartnerEvent) -> list[Fault]:
    """The fault of an event without a reference by which its shipment, or what a payment pays, could be found.

    A transport document identifies goods, not an assessment or an account, so a payment needs a payment reference, a
    declaration number or a UCR. The retraction of a payment needs one of the same three.
    """
    given = event.references
    if isinstance(event, PaymentConfirmed | PaymentReversed):
        if given.payment_reference or given.declaration_number or given.ucr:
            return []
        return [Fault("event.payment_for_nothing", "/data/references")]
    if any(given.model_dump().values()):
        return []
    return [Fault("event.no_reference", "/data/references")]
