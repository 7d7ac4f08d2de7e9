"""Answers about submissions and receipts."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from chassis import telemetry
from gateway.domain.receipt import Receipt, SubmissionWarning
from gateway.http.tracing import name_shipment
from gateway.http.wording import in_words, language_of
from gateway.receipts.keeping import Taken


def receipt_fields(taken: Taken, lang: str) -> dict[str, Any]:
    """The answer to an accepted submission."""
    receipt = taken.receipt
    fields: dict[str, Any] = {"id": receipt.id, "status": "received", "status_url": status_url(receipt)}
    if taken.duplicate:
        fields["duplicate"] = True
    if receipt.ucr:
        fields["ucr"] = receipt.ucr
    if receipt.declaration_id:
        fields["declaration_id"] = receipt.declaration_id
    if receipt.not_read:
        fields["not_read"] = list(receipt.not_read)
    if receipt.warnings:
        fields["warnings"] = [_warning(each, lang) for each in receipt.warnings]
    return fields


def _warning(warning: SubmissionWarning, lang: str) -> dict[str, str]:
    values = {"value": warning.value, "expected": warning.expected}
    fields = {"pointer": warning.pointer, "code": warning.code, "value": warning.value}
    return fields | {"text": in_words(f"gateway.{warning.code}", lang, values)}


def accepted(taken: Taken, request: Request) -> JSONResponse:
    """202 with the receipt's location; sets the UCR on the request's span."""
    if taken.receipt.ucr:
        name_shipment(taken.receipt.ucr)
    fields = receipt_fields(taken, language_of(request)) | {"trace_id": telemetry.current_trace_id()}
    return JSONResponse(fields, 202, {"Location": status_url(taken.receipt)})


def status_url(receipt: Receipt) -> str:
    return f"/v1/receipts/{receipt.id}"


def shown(receipt: Receipt, lang: str) -> dict[str, Any]:
    """The submitter's view of a receipt."""
    fields: dict[str, Any] = {
        "id": receipt.id,
        "kind": str(receipt.kind),
        "type": receipt.type,
        "received_at": receipt.received_at.isoformat(),
        "submission": {"source": receipt.source, "id": receipt.submission_id},
        "media_type": receipt.media_type,
        "original_sha256": receipt.original,
        "not_read": list(receipt.not_read),
        "warnings": [_warning(each, lang) for each in receipt.warnings],
    }
    named = {"ucr": receipt.ucr, "lrn" if receipt.declarant else "reference": receipt.lrn}
    return fields | {name: value for name, value in named.items() if value}
