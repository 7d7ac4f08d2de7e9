"""Listings on the wire."""

import hashlib
from typing import Any, assert_never

from contracts.gateway.v1 import MandateSubmitted, ProjectSubmitted
from contracts.matching import v1
from contracts.values import Payload
from matching.domain.listing import (
    Closed,
    Event,
    Listing,
    ListingChanged,
    ListingChecked,
    ListingPublished,
    ListingSubmitted,
    ListingWithdrawn,
    SubmitListing,
)
from matching.domain.terms import Firm, ProjectTerms, Terms
from matching.messages.terms import (
    firm_of,
    identifier_of,
    mandate_payload,
    mandate_terms,
    project_payload,
    project_terms,
)

PREFIX = "trade.matching.listing"


def listing_id(firm: Firm, kind: str, reference: str) -> str:
    """The id of a firm's listing, derived from its arguments so that a repeated submission has the same id."""
    return "L-" + hashlib.sha256(f"{firm}|{kind}|{reference}".encode()).hexdigest()[:20]


def submission(payload: Payload) -> SubmitListing:
    """The command of a gateway submission.

    Raises:
        TypeError: the payload is not a submission of a project or mandate.
    """
    terms: Terms
    match payload:
        case ProjectSubmitted():
            terms, reference = project_terms(payload.project), payload.project.reference
        case MandateSubmitted():
            terms, reference = mandate_terms(payload.mandate), payload.mandate.reference
        case _:
            raise TypeError(f"{type(payload).__name__} is not a submission of a listing")
    firm = firm_of(payload.firm)
    return SubmitListing(listing_id(firm, terms.kind, reference), firm, reference, terms, payload.receipt_id)


class ListingMessages:
    """`Messages` of listings."""

    def encode(self, event: Event, state: Listing) -> tuple[str, bytes]:
        fact, payload = _payload(event, state)
        return f"{PREFIX}.{fact}.v1", payload.model_dump_json(exclude_none=True).encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        return _event(v1.EVENTS[type].model_validate_json(data))


def _payload(event: Event, state: Listing) -> tuple[str, Payload]:
    fact = _fact(state)
    match event:
        case ListingSubmitted():
            waiting = {"receipt_id": event.receipt_id, "check": event.check, "asked_at": event.asked_at}
            return "submitted", v1.ListingSubmitted(**fact, **_terms(state), **waiting)
        case ListingChecked(enterprise_id, check, asked_at):
            return "checked", v1.ListingChecked(**fact, enterprise_id=enterprise_id, check=check, asked_at=asked_at)
        case ListingPublished(enterprise_id):
            return "published", v1.ListingPublished(**fact, **_terms(state), enterprise_id=enterprise_id)
        case ListingChanged():
            return "changed", v1.ListingChanged(**fact, **_terms(state), receipt_id=event.receipt_id)
        case ListingWithdrawn(reason):
            return "withdrawn", v1.ListingWithdrawn(**fact, reason=reason.value)
        case _:
            assert_never(event)


def _fact(state: Listing) -> dict[str, Any]:
    return {
        "listing_id": state.id,
        "kind": v1.ListingKind(state.kind),
        "firm": identifier_of(state.firm),
        "reference": state.reference,
        "change": state.change,
    }


def _terms(state: Listing) -> dict[str, Any]:
    if isinstance(state.terms, ProjectTerms):
        return {"project": project_payload(state.reference, state.terms)}
    return {"mandate": mandate_payload(state.reference, state.terms)}


def _event(payload: Payload) -> Event:
    match payload:
        case v1.ListingSubmitted():
            return ListingSubmitted(
                listing_id=payload.listing_id,
                firm=firm_of(payload.firm),
                reference=payload.reference,
                terms=_terms_of(payload),
                receipt_id=payload.receipt_id,
                check=payload.check,
                asked_at=payload.asked_at,
            )
        case v1.ListingChecked():
            return ListingChecked(payload.enterprise_id, payload.check, payload.asked_at)
        case v1.ListingPublished():
            return ListingPublished(payload.enterprise_id)
        case v1.ListingChanged():
            return ListingChanged(_terms_of(payload), payload.receipt_id)
        case v1.ListingWithdrawn():
            return ListingWithdrawn(Closed(payload.reason))
        case _:
            raise TypeError(f"{type(payload).__name__} is not an event of a listing")


def _terms_of(payload: v1.ListingTerms) -> Terms:
    if payload.project is not None:
        return project_terms(payload.project)
    if payload.mandate is not None:
        return mandate_terms(payload.mandate)
    raise ValueError(f"{payload.listing_id} has neither a project nor a mandate")
