"""Who stands behind a key or a topic, what they may submit, and which receipts they may see.

A partner's role says which events are its to tell; scopes narrow that down. A firm lodges in its
own name: as the declarant, or as the agent that the declaration names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.grants import NOTHING, Grants
from gateway.domain.receipt import Receipt
from values.identifiers import Identifier
from values.partner_roles import ROLES

_EVENTS = "events.write:"

DECLARATIONS_WRITE = "declarations.write"
PROJECTS_WRITE = "projects.write"
MANDATES_WRITE = "mandates.write"
FIRM_SCOPES = (DECLARATIONS_WRITE, PROJECTS_WRITE, MANDATES_WRITE)


class OwnerKind(StrEnum):
    PARTNER = "partner"
    FIRM = "firm"


class UnknownRole(ValueError):
    """No partner has this role."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A partner or a firm."""

    kind: OwnerKind
    code: str
    """A partner's code, or a firm's number as `SCHEME:VALUE` in normal form."""
    role: str = ""
    """Of a partner: a key of `ROLES`."""

    def __post_init__(self) -> None:
        if self.kind is OwnerKind.FIRM:
            object.__setattr__(self, "code", str(Identifier.parse(self.code)))

    @property
    def actor(self) -> str:
        return f"{self.kind}:{self.code}"

    @property
    def number(self) -> Identifier:
        """Of a firm."""
        return Identifier.parse(self.code)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is at the door, and with what scopes."""

    owner: Owner
    scopes: tuple[str, ...]
    key_id: str = ""
    """Of the key that opened; empty at a partner's topic, where the broker's credentials did."""
    grants: Grants = NOTHING
    """Of a partner, as it stands registered."""

    def may(self, scope: str) -> bool:
        """Whether a scope, such as `declarations.write`, is held."""
        return scope in self.scopes

    def is_firm(self, number: str) -> bool:
        """Whether it is the firm of a `SCHEME:VALUE`; nobody is that of an empty one."""
        return self.owner.kind is OwnerKind.FIRM and bool(number) and Identifier.parse(number) == self.owner.number

    def may_see(self, receipt: Receipt) -> bool:
        """Whether it submitted what the receipt is for, or that was lodged in its name."""
        return receipt.submitter == self.owner.actor or self.is_firm(receipt.declarant)

    def may_tell(self, event_type: str) -> bool:
        """Whether events of a type may be submitted: by the role and by a scope."""
        by_role = _matches(event_type, _events_of(self.owner.role))
        by_scope = _matches(event_type, (scope.removeprefix(_EVENTS) for scope in self.scopes if _is_events(scope)))
        return self.owner.kind is OwnerKind.PARTNER and by_role and by_scope


def default_scopes(owner: Owner) -> tuple[str, ...]:
    """Everything that the owner may be given."""
    if owner.kind is OwnerKind.FIRM:
        return FIRM_SCOPES
    if owner.role not in ROLES:
        raise UnknownRole(owner.role)
    return tuple(f"{_EVENTS}{pattern}" for pattern in ROLES[owner.role].events)


def scopes_beyond(owner: Owner, scopes: Sequence[str]) -> list[str]:
    """Those of `scopes` that the owner cannot be given."""
    if owner.kind is OwnerKind.FIRM:
        return [scope for scope in scopes if scope not in FIRM_SCOPES]
    allowed = _events_of(owner.role)
    return [scope for scope in scopes if not _is_events(scope) or not _matches(scope.removeprefix(_EVENTS), allowed)]


def may_lodge(owner: Owner, acting: Iterable[Identifier]) -> bool:
    """Whether a firm is among those who act in a declaration: its declarant and its agents, by number."""
    return owner.number in acting


def _events_of(role: str) -> tuple[str, ...]:
    known = ROLES.get(role)
    return known.events if known is not None else ()


def _is_events(scope: str) -> bool:
    return scope.startswith(_EVENTS)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of the patterns; `*` at the end stands for anything, also in the name."""
    return any(name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])) for pattern in patterns)
