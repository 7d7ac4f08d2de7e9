"""`trade.gateway.v1.KeyService`: staff issue, revoke and list keys of partners and firms."""

import secrets
from datetime import datetime
from typing import Any, NoReturn, Protocol

import grpc
import structlog

from chassis.clock import Clock
from chassis.rpc import Right, abort, current_caller, moment_of, page_id, page_of, page_size, stamp_of
from gateway.domain import keys
from gateway.domain.access import Owner, OwnerKind, default_scopes, scopes_beyond
from gateway.domain.keys import Key
from gateway.keys.authentication import KeyAuthenticator
from gateway.partners import KnownPartners
from trade.gateway.v1 import gateway_pb2 as pb
from trade.gateway.v1.gateway_pb2_grpc import KeyServiceServicer
from values.faults import shortened
from values.identifiers import Identifier
from values.partner_roles import ROLES
from values.partners import FORM, PartnerCode

READ = "keys.read"
WRITE = "keys.write"
_SERVICE = "/trade.gateway.v1.KeyService"
RIGHTS = {
    f"{_SERVICE}/IssueKey": Right(staff=WRITE),
    f"{_SERVICE}/RevokeKey": Right(staff=WRITE),
    f"{_SERVICE}/ListKeys": Right(staff=READ),
}

MAX_LABEL = 200

Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger(__name__)


class Keys(Protocol):
    async def add(self, key: Key) -> None: ...

    async def revoke(self, id_: str, at: datetime, by: str, reason: str) -> Key | None: ...

    async def page(self, owner: Owner | None, after: str, limit: int) -> list[Key]: ...


class KeyRpc(KeyServiceServicer):
    """Keys over gRPC."""

    def __init__(self, stored: Keys, authenticator: KeyAuthenticator, partners: KnownPartners, clock: Clock) -> None:
        self._stored = stored
        self._authenticator = authenticator
        self._partners = partners
        self._clock = clock

    async def IssueKey(self, request: pb.IssueKeyRequest, context: Context) -> pb.IssueKeyResponse:  # noqa: N802 - the proto's name
        owner = await self._registered(await _owner(request.owner, context), context)
        if len(request.label) > MAX_LABEL:
            await _refuse(context, "label", f"must have at most {MAX_LABEL} characters")
        beyond = scopes_beyond(owner, request.scopes)
        if beyond:
            await _refuse(context, "scopes", f"{beyond[0]} cannot be given to {owner.role or owner.kind}")
        expires_at = moment_of(request.expires_at) if request.HasField("expires_at") else None
        if expires_at is not None and expires_at <= self._clock.now():
            await _refuse(context, "expires_at", "must be in the future")
        id_, shown, digest = keys.write(secrets.token_bytes(keys.ID_BYTES), secrets.token_bytes(keys.SECRET_BYTES))
        key = Key(
            id=id_,
            owner=owner,
            scopes=tuple(request.scopes) or default_scopes(owner),
            digest=digest,
            label=request.label,
            issued_at=self._clock.now(),
            issued_by=current_caller().actor,
            expires_at=expires_at,
        )
        await self._stored.add(key)
        self._authenticator.forget(id_)
        log.info("key_issued", key_id=id_, owner=owner.actor, by=key.issued_by)
        return pb.IssueKeyResponse(key=_key(key), secret=shown)

    async def RevokeKey(self, request: pb.RevokeKeyRequest, context: Context) -> pb.RevokeKeyResponse:  # noqa: N802 - the proto's name
        if not request.reason.strip():
            await _refuse(context, "reason", "is required")
        by = current_caller().actor
        key = await self._stored.revoke(request.key_id, self._clock.now(), by, request.reason.strip())
        if key is None:
            await abort(context, grpc.StatusCode.NOT_FOUND, "KEY_UNKNOWN", f"no key {request.key_id!r}")
        self._authenticator.forget(request.key_id)
        log.info("key_revoked", key_id=key.id, owner=key.owner.actor, by=by)
        return pb.RevokeKeyResponse(key=_key(key))

    async def ListKeys(self, request: pb.ListKeysRequest, context: Context) -> pb.ListKeysResponse:  # noqa: N802 - the proto's name
        owner = await _owner(request.owner, context) if request.HasField("owner") else None
        size = page_size(request.page_size)
        list_ = f"keys/{owner.actor}" if owner is not None else "keys"
        found = await self._stored.page(owner, page_id(request.page_token, list_), size + 1)
        page, following = page_of(found, size, list_, lambda key: key.id)
        return pb.ListKeysResponse(keys=[_key(key) for key in page], next_page_token=following)

    async def _registered(self, owner: Owner, context: Context) -> Owner:
        """A partner with its registered role; aborts the call if it is not registered or has another role."""
        if owner.kind is not OwnerKind.PARTNER:
            return owner
        partner = await self._partners.find(owner.code)
        if partner is None:
            words = f"no partner {owner.code!r} is registered; see `trade partners add`"
            await abort(context, grpc.StatusCode.FAILED_PRECONDITION, "PARTNER_UNKNOWN", words)
        if owner.role not in ("", partner.role):
            words = f"{partner.code} is registered as {partner.role}, and a partner's role is permanent"
            await abort(context, grpc.StatusCode.FAILED_PRECONDITION, "PARTNER_ROLE", words)
        return Owner(OwnerKind.PARTNER, partner.code, partner.role)


async def _owner(given: pb.Owner, context: Context) -> Owner:
    """The owner that a request names; aborts the call if it is malformed."""
    match given.WhichOneof("owner"):
        case "partner":
            code = PartnerCode(given.partner.code)
            if code.fault() is not None:
                await _refuse(context, "owner.partner.code", f"must have the form {FORM}, found {shortened(code)!r}")
            if given.partner.role not in ("", *ROLES):
                await _refuse(context, "owner.partner.role", f"must be one of {', '.join(ROLES)}")
            return Owner(OwnerKind.PARTNER, str(code), given.partner.role)
        case "firm":
            number = Identifier(given.firm.scheme, given.firm.value)
            if fault := number.fault():
                await _refuse(
                    context, f"owner.firm.{fault[0]}", "must be part of an enterprise's number, in ASCII characters"
                )
            return Owner(OwnerKind.FIRM, str(number))
    return await _refuse(context, "owner", "must be a partner or a firm")


async def _refuse(context: Context, field: str, rule: str) -> NoReturn:
    """Abort the call because of one field of its request."""
    message = f"{field} {rule}"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", message, [(field, rule)])


def _key(key: Key) -> pb.Key:
    partner = pb.Partner(code=key.owner.code, role=key.owner.role)
    scheme, _, value = key.owner.code.partition(":")
    is_partner = key.owner.kind is OwnerKind.PARTNER
    return pb.Key(
        id=key.id,
        owner=pb.Owner(partner=partner) if is_partner else pb.Owner(firm=pb.Firm(scheme=scheme, value=value)),
        scopes=key.scopes,
        label=key.label,
        issued_by=key.issued_by,
        revoked_by=key.revoked_by,
        revoke_reason=key.revoke_reason,
        issued_at=stamp_of(key.issued_at),
        expires_at=stamp_of(key.expires_at),
        revoked_at=stamp_of(key.revoked_at),
    )
