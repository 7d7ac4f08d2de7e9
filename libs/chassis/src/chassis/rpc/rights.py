"""Who may call a method."""

from dataclasses import dataclass

from chassis.rpc.identity import Caller

ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Right:
    """The callers of one method. One that names nobody lets nobody in."""

    services: tuple[str, ...] = ()
    """Names of the services that may call; `*` for every one."""
    staff: str = ""
    """The right that a person needs; empty: no person may."""
    anyone: bool = False
    """Without a token and without a place at the door: for what foreign programs ask of every server, as probes do."""
    publishes: bool = False
    """A call brings about events, and so is turned away while the outbox is overloaded."""

    def allows(self, caller: Caller) -> bool:
        if caller.is_staff:
            return bool(self.staff) and self.staff in caller.rights
        return caller.subject in self.services or ANY_SERVICE in self.services
