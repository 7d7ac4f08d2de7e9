"""What is asked of a declaration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from declarations.domain.claims import Claim
from declarations.domain.declaration import Declaration, Function, Identifier
from declarations.domain.payments import Share


class CommandOutOfOrder(Exception):
    """A command that cannot come in this state, unless something is wrong with who gave it."""


class Standing(StrEnum):
    """What the registry says of a party."""

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
    """The registry answered for the parties, and a serial is reserved."""

    version: int
    standings: Mapping[int, Standing]
    """Index in `parties` → answer."""
    serial: str


@dataclass(frozen=True, slots=True)
class NoteClaim:
    """A partner reported something that concerns this declaration."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class TakeShare:
    """The account of the UCR set the share of a payment that named the UCR alone."""

    share: Share


@dataclass(frozen=True, slots=True)
class PassDeadline:
    """The last moment of a deadline is over, and all that came before it was read."""

    name: str
    """Of the row of `deadlines`."""


Command: TypeAlias = Lodge | AnswerParties | NoteClaim | TakeShare | PassDeadline
