"""Use cases of firms' submissions: authorise, validate, stamp, store.

One function per kind of submission, for every format. Only valid submissions are stored; all faults
are reported at once.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from xml.etree.ElementTree import canonicalize

from chassis.threads import run_in
from contracts.gateway.v1 import (
    Declaration,
    DeclarationFunction,
    DeclarationSubmitted,
    Mandate,
    MandateSubmitted,
    Project,
    ProjectSubmitted,
    ReceiptFacts,
)
from contracts.values import Identifier, PartyRole
from gateway.domain import access
from gateway.domain.access import OwnerKind, Principal
from gateway.domain.faults import Fault, Refused
from gateway.domain.receipt import CONTENT, IDEMPOTENCY_KEY, Kind, receipt_id
from gateway.domain.ucr import make_ucr
from gateway.firms.code_lists import code_faults
from gateway.formats import wco
from gateway.formats.bounds import as_fault
from gateway.formats.content import content_hash, in_normal_form
from gateway.formats.validation import unknown_fields, validate, warnings
from gateway.receipts import (
    DECLARATION,
    MANDATE,
    PROJECT,
    Original,
    Receipts,
    Submission,
    Submitted,
    Taken,
    to_command,
)
from values.references import SubmissionId, declaration_id

L = TypeVar("L", Project, Mandate)

_ACTING = (PartyRole.DECLARANT, PartyRole.AGENT)
MAX_OWN_ID = 128
_WCO_READER = ThreadPoolExecutor(1, "wco-reader")
"""A large document takes seconds to parse: outside the event loop, and one at a time to limit memory."""


@dataclass(frozen=True, slots=True)
class Lodged:
    """A firm's submission as received."""

    principal: Principal
    original: Original
    fields: Mapping[str, Any]
    """In the structure of the contract."""
    received_at: datetime
    trace: Mapping[str, str]
    own_id: str = ""
    """The firm's `Idempotency-Key`, if it gives one."""
    function: str = DeclarationFunction.ORIGINAL
    not_read: tuple[str, ...] = ()
    content: str = ""
    """Hash of the content; empty: to be computed from the fields."""


async def take_declaration(receipts: Receipts, lodged: Lodged) -> Taken:
    """Store a declaration.

    Raises:
        Refused: the firm may not lodge it, or it does not match the contract.
    """
    _check_scope(lodged.principal, access.DECLARATIONS_WRITE)
    if lodged.function not in list(DeclarationFunction):
        raise Refused("invalid-declaration", [Fault("declaration.function", "", {"found": lodged.function})])
    declaration, faults = validate(Declaration, {**lodged.fields, "ucr": lodged.fields.get("ucr") or "-"})
    if declaration is None:
        raise Refused("invalid-declaration", faults)
    declarant = next((each.identifier for each in declaration.parties if each.role is PartyRole.DECLARANT), None)
    if declarant is None:
        raise Refused("invalid-declaration", [Fault("declaration.no_declarant", "/parties")])
    acting = [party.identifier.number for party in declaration.parties if party.role in _ACTING]
    if not access.may_lodge(lodged.principal.owner, acting):
        raise Refused("not-a-party", [Fault("access.not_a_party", "/parties")], firm=lodged.principal.owner.code)
    facts = _facts(Kind.DECLARATION, lodged, declaration, declaration.lrn)
    if unnamed := not lodged.fields.get("ucr"):
        # A correction without a UCR keeps the UCR of the first submission, which its sender knows.
        earlier, _ = await asyncio.gather(
            receipts.of_declaration(declaration_id(declarant.number, declaration.lrn)),
            receipts.keep_originals([lodged.original]),
        )
        own = lodged.principal.is_firm(str(declarant))
        known = [each for each in earlier if own or each.submitter == facts.submitter]
        made = make_ucr(lodged.received_at.year, declarant.scheme, declarant.value, facts.id)
        declaration = declaration.model_copy(update={"ucr": known[0].ucr if known else made})
    payload = DeclarationSubmitted(
        receipt_id=facts.id,
        received_at=lodged.received_at,
        firm=_firm(lodged.principal),
        function=DeclarationFunction(lodged.function),
        declaration=declaration,
        receipt=facts,
    )
    return await _keep(receipts, lodged, DECLARATION, payload, original_kept=unnamed)


async def take_wco_declaration(receipts: Receipts, lodged: Lodged, charset: str = "") -> Taken:
    """Store a declaration from a WCO document; `lodged.fields` is ignored.

    Args:
        charset: of the media type; empty if it has none.

    Raises:
        Refused: as `take_declaration`, or the document cannot be read.
    """
    document, text = await run_in(_WCO_READER, _read_wco, lodged.original.body, charset)
    return await take_declaration(
        receipts,
        Lodged(
            principal=lodged.principal,
            original=lodged.original,
            fields=document.fields,
            received_at=lodged.received_at,
            trace=lodged.trace,
            own_id=lodged.own_id,
            function=lodged.function,
            not_read=document.not_read,
            content=content_hash(text),
        ),
    )


def _read_wco(body: bytes, charset: str) -> tuple[wco.WcoDeclaration, str]:
    """The document and its content hash, over all elements but not comments, white space or prefixes."""
    document = wco.read(body, charset)
    return document, canonicalize(document.text, strip_text=True, rewrite_prefixes=True)


async def take_project(receipts: Receipts, lodged: Lodged) -> Taken:
    """Store an investment project.

    Raises:
        Refused: the firm lacks the scope, or the project does not match the contract.
    """
    project, facts = _read_listing(lodged, Kind.PROJECT, Project, access.PROJECTS_WRITE)
    payload = ProjectSubmitted(
        receipt_id=facts.id,
        received_at=lodged.received_at,
        firm=_firm(lodged.principal),
        project=project,
        receipt=facts,
    )
    return await _keep(receipts, lodged, PROJECT, payload)


async def take_mandate(receipts: Receipts, lodged: Lodged) -> Taken:
    """Store an investor's mandate.

    Raises:
        Refused: the firm lacks the scope, or the mandate does not match the contract.
    """
    mandate, facts = _read_listing(lodged, Kind.MANDATE, Mandate, access.MANDATES_WRITE)
    payload = MandateSubmitted(
        receipt_id=facts.id,
        received_at=lodged.received_at,
        firm=_firm(lodged.principal),
        mandate=mandate,
        receipt=facts,
    )
    return await _keep(receipts, lodged, MANDATE, payload)


def _read_listing(lodged: Lodged, kind: Kind, contract: type[L], scope: str) -> tuple[L, ReceiptFacts]:
    """A project or a mandate, valid in every field and code, and the facts of its receipt."""
    _check_scope(lodged.principal, scope)
    listing, faults = validate(contract, lodged.fields)
    if listing is None or (faults := code_faults(listing)):
        raise Refused(f"invalid-{kind}", faults)
    return listing, _facts(kind, lodged, listing, listing.reference)


def _check_scope(principal: Principal, scope: str) -> None:
    if principal.owner.kind is not OwnerKind.FIRM or not principal.may(scope):
        raise Refused("scope-missing", [Fault("access.scope", "", {"scope": scope})])


def _firm(principal: Principal) -> Identifier:
    number = principal.owner.number
    return Identifier(scheme=number.scheme, value=number.value)


def _own_name(written: str) -> SubmissionId:
    """A firm's `Idempotency-Key`, checked like a partner's event id; empty if it gives none."""
    named = SubmissionId(written)
    if len(named) > MAX_OWN_ID:
        raise Refused("invalid-header", [Fault("field.too_long", "Idempotency-Key", {"limit": MAX_OWN_ID})])
    if named and (why := named.fault()):
        raise Refused("invalid-header", [as_fault(why, "Idempotency-Key", written)])
    return named


def _facts(kind: Kind, lodged: Lodged, read: Declaration | Project | Mandate, reference: str) -> ReceiptFacts:
    """The receipt's facts; a submission without an own id is identified by its content."""
    named = _own_name(lodged.own_id)
    submitter = lodged.principal.owner.actor
    function = lodged.function if kind is Kind.DECLARATION else ""
    content = content_hash(function, lodged.content or in_normal_form(lodged.fields, read))
    source, own_id = (IDEMPOTENCY_KEY, str(named)) if named else (CONTENT, f"{reference}|{function}|{content}")
    return ReceiptFacts(
        id=receipt_id(kind, submitter, source, own_id),
        submitter=submitter,
        source=source,
        submission_id=own_id,
        content_hash=content,
        media_type=lodged.original.media_type,
        original=lodged.original.id,
        not_read=lodged.not_read or tuple(unknown_fields(lodged.fields, read)),
        warnings=warnings(read),
    )


async def _keep(
    receipts: Receipts, lodged: Lodged, type_: str, payload: Submitted, *, original_kept: bool = False
) -> Taken:
    original = None if original_kept else lodged.original
    submission = Submission(to_command(type_, payload), original, lodged.trace)
    answer = (await receipts.keep([submission]))[0]
    if isinstance(answer, Refused):
        raise answer
    return answer
