"""A partner: one code, one permanent role, and its grants, with who changed them, when and why.

    (nothing) ── Register ──▶ Partner ── Grant, Revoke ──▶ Partner

Registering again with the same role, granting what is already granted and revoking what is not
granted change nothing and are no error, so commands can be repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from gateway.domain.grants import NOTHING, Grants
from values.partner_roles import ROLES

MAX_GRANTS = 100
"""Limit per partner, because the grants are stamped on each of its events."""


@dataclass(frozen=True, slots=True)
class Registered:
    partner: str
    role: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Granted:
    partner: str
    grants: Grants
    """The added grants."""
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Revoked:
    partner: str
    grants: Grants
    """The removed grants."""
    reason: str
    at: datetime
    by: str


Event: TypeAlias = Registered | Granted | Revoked


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a partner's history."""

    fact: str
    """registered, granted or revoked."""
    at: datetime
    by: str
    grants: Grants = NOTHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Partner:
    code: str
    role: str
    grants: Grants = NOTHING
    changes: tuple[Change, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Register:
    code: str
    role: str
    by: str


@dataclass(frozen=True, slots=True)
class Grant:
    code: str
    grants: Grants
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Revoke:
    code: str
    grants: Grants
    reason: str
    by: str


Command: TypeAlias = Register | Grant | Revoke


class NotChanged(Exception):
    """A refused change; the message says why, and `reason` is its stable code."""

    reason = "PARTNER_NOT_CHANGED"


class RoleIsPermanent(NotChanged):
    """The code belongs to a partner with another role."""

    reason = "PARTNER_ROLE"


class NotRegistered(NotChanged):
    """No partner has this code."""

    reason = "PARTNER_UNKNOWN"


class NotGrantable(NotChanged):
    """The grant does not apply to the partner's role, or exceeds the limit."""

    reason = "PARTNER_GRANTS"


def decide(state: Partner | None, command: Command, now: datetime) -> Sequence[Event]:
    """The events of a command.

    Raises:
        NotChanged: the command is refused; the message is for staff.
    """
    match command:
        case Register(code, role, by):
            if state is None:
                return (Registered(code, role, now, by),)
            if state.role != role:
                raise RoleIsPermanent(f"{code} is registered as {state.role}, and a partner's role is permanent")
            return ()
        case Grant(code, grants, reason, by):
            added = grants - _known(state, code).grants
            _check_grantable(_known(state, code), added)
            return (Granted(code, added, reason, now, by),) if added else ()
        case Revoke(code, grants, reason, by):
            held = _known(state, code).grants
            taken = held - (held - grants)
            return (Revoked(code, taken, reason, now, by),) if taken else ()


def evolve(state: Partner | None, event: Event) -> Partner:
    """The partner after an event."""
    match event:
        case Registered(partner, role, at, by):
            return Partner(partner, role, changes=(Change("registered", at, by),))
        case Granted(partner, grants, reason, at, by):
            known = _known(state, partner)
            change = Change("granted", at, by, grants, reason)
            return replace(known, grants=known.grants | grants, changes=(*known.changes, change))
        case Revoked(partner, grants, reason, at, by):
            known = _known(state, partner)
            change = Change("revoked", at, by, grants, reason)
            return replace(known, grants=known.grants - grants, changes=(*known.changes, change))


def _known(state: Partner | None, code: str) -> Partner:
    if state is None:
        raise NotRegistered(f"no partner {code!r} is registered")
    return state


def _check_grantable(partner: Partner, added: Grants) -> None:
    useless = sorted(added.kinds - ROLES[partner.role].grants)
    if useless:
        takes = ", ".join(sorted(ROLES[partner.role].grants)) or "nothing: its events name what they are about"
        raise NotGrantable(
            f"{useless[0]} does not apply to a partner of role {partner.role}, which can be granted {takes}"
        )
    if len(partner.grants | added) > MAX_GRANTS:
        raise NotGrantable(f"a partner has at most {MAX_GRANTS} grants")
