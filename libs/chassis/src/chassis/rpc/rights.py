"""Authorisation: who may call a method."""

from dataclasses import dataclass

from chassis.rpc.identity import Caller

ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Right:
    """The allowed callers of one method. By default nobody is allowed."""

    services: tuple[str, ...] = ()
    """Names of the services that may call; `*` for all."""
    staff: str = ""
    """The right that a person needs; empty: no person may call."""
    anyone: bool = False
    """Needs no token and no place at the door: for standard methods that probes and tools call."""
    publishes: bool = False
    """A call may publish events, so it is turned away while the outbox is overloaded."""

    def allows(self, caller: Caller) -> bool:
        if caller.is_staff:
            return bool(self.staff) and self.staff in caller.rights
        return caller.subject in self.services or ANY_SERVICE in self.services
