"""The commands of a declaration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from declarations.domain.claims import Claim
from declarations.domain.declaration import Declaration, Function, Identifier
from declarations.domain.payments import Share


class CommandOutOfOrder(Exception):
    """The command is not allowed in this state; its sender must be at fault."""


class Standing(StrEnum):
    """The registry's answer about a party."""

    MAY_ACT = "may_act"
    UNKNOWN = "unknown"
    SUSPENDED = "suspended"
    ROLE_MISSING = "role_missing"


@dataclass(frozen=True, slots=True)
class Lodge:
    """The declarant lodges a version."""

    declaration_id: str
    receipt_id: str
    received_at: datetime
    firm: Identifier
    function: Function
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class AnswerParties:
    """The registry's answers about the parties, and the reserved serial."""

    version: int
    standings: Mapping[int, Standing]
    """Index in `parties` → answer."""
    serial: str


@dataclass(frozen=True, slots=True)
class NoteClaim:
    """A partner's event that concerns this declaration."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class TakeShare:
    """The account of the UCR set this declaration's share of a payment that names only the UCR."""

    share: Share


@dataclass(frozen=True, slots=True)
class PassDeadline:
    """A deadline has passed, and all input received before it was read."""

    name: str
    """Name of the row in `deadlines`."""


Command: TypeAlias = Lodge | AnswerParties | NoteClaim | TakeShare | PassDeadline
