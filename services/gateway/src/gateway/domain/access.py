"""The owner of a key or topic: what it may submit, and which receipts it may see.

A partner's role determines the event types that it may report; scopes narrow them. A firm lodges as
the declarant, or as an agent that the declaration names.
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
    """A partner's role, a key of `ROLES`."""

    def __post_init__(self) -> None:
        if self.kind is OwnerKind.FIRM:
            object.__setattr__(self, "code", str(Identifier.parse(self.code)))

    @property
    def actor(self) -> str:
        return f"{self.kind}:{self.code}"

    @property
    def number(self) -> Identifier:
        """A firm's number."""
        return Identifier.parse(self.code)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller with its scopes."""

    owner: Owner
    scopes: tuple[str, ...]
    key_id: str = ""
    """The id of the key; empty on a partner's topic, which the broker authenticates."""
    grants: Grants = NOTHING
    """A partner's registered grants."""

    def may(self, scope: str) -> bool:
        """Whether it has a scope, such as `declarations.write`."""
        return scope in self.scopes

    def is_firm(self, number: str) -> bool:
        """Whether it is the firm with this number (`SCHEME:VALUE`); False for an empty one."""
        return self.owner.kind is OwnerKind.FIRM and bool(number) and Identifier.parse(number) == self.owner.number

    def may_see(self, receipt: Receipt) -> bool:
        """Whether it is the submitter of the receipt, or the declarant in whose name it was lodged."""
        return receipt.submitter == self.owner.actor or self.is_firm(receipt.declarant)

    def may_report(self, event_type: str) -> bool:
        """Whether its role and its scopes allow it to report events of a type."""
        by_role = _matches(event_type, _events_of(self.owner.role))
        by_scope = _matches(event_type, (scope.removeprefix(_EVENTS) for scope in self.scopes if _is_events(scope)))
        return self.owner.kind is OwnerKind.PARTNER and by_role and by_scope


def default_scopes(owner: Owner) -> tuple[str, ...]:
    """All scopes that the owner can have."""
    if owner.kind is OwnerKind.FIRM:
        return FIRM_SCOPES
    if owner.role not in ROLES:
        raise UnknownRole(owner.role)
    return tuple(f"{_EVENTS}{pattern}" for pattern in ROLES[owner.role].events)


def scopes_beyond(owner: Owner, scopes: Sequence[str]) -> list[str]:
    """Those of `scopes` that the owner cannot have."""
    if owner.kind is OwnerKind.FIRM:
        return [scope for scope in scopes if scope not in FIRM_SCOPES]
    allowed = _events_of(owner.role)
    return [scope for scope in scopes if not _is_events(scope) or not _matches(scope.removeprefix(_EVENTS), allowed)]


def may_lodge(owner: Owner, acting: Iterable[Identifier]) -> bool:
    """Whether a firm is among the acting parties of a declaration: its declarant and its agents, by number."""
    return owner.number in acting


def _events_of(role: str) -> tuple[str, ...]:
    known = ROLES.get(role)
    return known.events if known is not None else ()


def _is_events(scope: str) -> bool:
    return scope.startswith(_EVENTS)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name matches a pattern; a trailing `*` in a pattern matches any ending."""
    return any(name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])) for pattern in patterns)
