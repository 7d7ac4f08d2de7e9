"""The life cycle of an enterprise in the registry.

    (none) ──Register──▶ ACTIVE ──Suspend──▶ SUSPENDED
                         ▲  │Change          │  │Change
                         │  └──┘             │  └──┘
                         └─────Reinstate─────┘

The numbers in a command are already validated: they are in normal form and come with warning
codes. Names and contacts are not part of this state, because they can be erased.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never


class Status(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Role(StrEnum):
    """What an enterprise may act as."""

    DECLARANT = "declarant"
    IMPORTER = "importer"
    EXPORTER = "exporter"
    AGENT = "agent"
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class Enterprise:
    id: str
    """`SCHEME:VALUE` of the primary number; never changes."""
    country: str
    numbers: tuple[str, ...]
    """All numbers as `SCHEME:VALUE`, the primary one first."""
    roles: tuple[Role, ...]
    status: Status
    warnings: tuple[str, ...] = ()
    reason: str = ""
    """Code of the reason of the latest suspension or reinstatement."""


@dataclass(frozen=True, slots=True)
class Register:
    id: str
    country: str
    numbers: tuple[str, ...]
    roles: tuple[Role, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    numbers: tuple[str, ...]
    """All numbers after the change."""
    roles: tuple[Role, ...]
    """All roles after the change."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspend:
    reason: str


@dataclass(frozen=True, slots=True)
class Reinstate:
    reason: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Changes nothing. Applied under the id of another command, it prevents that command from ever being applied.

    This is how a number is taken over from an interrupted registration that had claimed it.
    """


Command: TypeAlias = Register | Change | Suspend | Reinstate | Abandon


@dataclass(frozen=True, slots=True)
class Registered:
    id: str
    country: str
    numbers: tuple[str, ...]
    roles: tuple[Role, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    numbers: tuple[str, ...]
    roles: tuple[Role, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspended:
    reason: str


@dataclass(frozen=True, slots=True)
class Reinstated:
    reason: str


Event: TypeAlias = Registered | Changed | Suspended | Reinstated


class Refused(Exception):
    """The enterprise's state does not allow the command."""

    code = ""
    """Code of the error text."""


class AlreadyRegistered(Refused):
    code = "registry.already_registered"


class NotRegistered(Refused):
    code = "registry.not_registered"


class AlreadySuspended(Refused):
    code = "registry.already_suspended"


class NotSuspended(Refused):
    code = "registry.not_suspended"


class PrimaryNumberFixed(Refused):
    """The first number is the enterprise's identity."""

    code = "registry.primary_number_fixed"


def _register(_: Enterprise | None, command: Register) -> tuple[Event, ...]:
    return (Registered(command.id, command.country, command.numbers, command.roles, command.warnings),)


def _change(state: Enterprise | None, command: Change) -> tuple[Event, ...]:
    assert state is not None  # noqa: S101 - the table says so
    if command.numbers[:1] != state.numbers[:1]:
        raise PrimaryNumberFixed(state.id)
    if (command.numbers, command.roles, command.warnings) == (state.numbers, state.roles, state.warnings):
        return ()
    return (Changed(command.numbers, command.roles, command.warnings),)


def _suspend(_: Enterprise | None, command: Suspend) -> tuple[Event, ...]:
    return (Suspended(command.reason),)


def _reinstate(_: Enterprise | None, command: Reinstate) -> tuple[Event, ...]:
    return (Reinstated(command.reason),)


def _nothing(_: Enterprise | None, __: Abandon) -> tuple[Event, ...]:
    return ()


Rule: TypeAlias = Callable[..., tuple[Event, ...]] | type[Refused]
"""A function of (state, command), or the refusal."""

TRANSITIONS: dict[tuple[Status | None, type[Command]], Rule] = {
    (None, Register): _register,
    (None, Change): NotRegistered,
    (None, Suspend): NotRegistered,
    (None, Reinstate): NotRegistered,
    (None, Abandon): _nothing,
    (Status.ACTIVE, Register): AlreadyRegistered,
    (Status.ACTIVE, Change): _change,
    (Status.ACTIVE, Suspend): _suspend,
    (Status.ACTIVE, Reinstate): NotSuspended,
    (Status.ACTIVE, Abandon): _nothing,
    (Status.SUSPENDED, Register): AlreadyRegistered,
    (Status.SUSPENDED, Change): _change,
    (Status.SUSPENDED, Suspend): AlreadySuspended,
    (Status.SUSPENDED, Reinstate): _reinstate,
    (Status.SUSPENDED, Abandon): _nothing,
}
"""(status, command) → the rule that decides, or the refusal. Every pair has an entry."""


def decide(state: Enterprise | None, command: Command, now: datetime) -> tuple[Event, ...]:  # noqa: ARG001 - no rule asks
    """The events of a command.

    Raises:
        Refused: the state does not allow it.
    """
    rule = TRANSITIONS[state.status if state else None, type(command)]
    if isinstance(rule, type):
        raise rule(state.id if state else "")
    return rule(state, command)


def evolve(state: Enterprise | None, event: Event) -> Enterprise:
    """The enterprise after an event."""
    if isinstance(event, Registered):
        return Enterprise(event.id, event.country, event.numbers, event.roles, Status.ACTIVE, event.warnings)
    if state is None:
        raise NotRegistered(f"{type(event).__name__} before Registered")
    match event:
        case Changed():
            return replace(state, numbers=event.numbers, roles=event.roles, warnings=event.warnings)
        case Suspended():
            return replace(state, status=Status.SUSPENDED, reason=event.reason)
        case Reinstated():
            return replace(state, status=Status.ACTIVE, reason=event.reason)
        case _:
            assert_never(event)
