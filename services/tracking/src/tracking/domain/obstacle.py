"""An obstacle: what a declaration waits for, who must act, since when and by when. Codes are keys of the catalogue."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tracking.domain.declaration import Fault


class Role(StrEnum):
    """Who must act."""

    NOBODY = "nobody"
    PLATFORM = "platform"
    DECLARANT = "declarant"
    PAYER = "payer"
    CARRIER = "carrier"
    PORT = "port"
    CUSTOMS = "customs"
    INSPECTION = "inspection"
    AGENCY = "agency"
    EXIT_OFFICE = "exit_office"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem or a detail of an obstacle: a code of the text catalogue with its parameters."""

    code: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that a declaration waits for."""

    waiting_for: str
    who: Role
    actor: str = ""
    """Name of who must act, such as a partner's code or an enterprise's number; empty if no event names it."""
    since: datetime | None = None
    """When it began."""
    by: datetime | None = None
    """Its deadline; None if no event names one."""
    detail: Trouble | None = None
    failed: tuple[Trouble, ...] = ()
    faults: tuple[Fault, ...] = ()
