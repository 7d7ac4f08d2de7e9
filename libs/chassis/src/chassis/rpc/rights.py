"""Who may call a method."""

from dataclasses import dataclass

from chassis.identity import Caller

ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Right:
    """The callers of one method. One that names nobody lets nobody in."""

    services: tuple[str, ...] = ()
    """Names of the services that may call; `*` for every one."""
    staff: str = ""
    """The right that a person needs; empty: no person may."""
    anyone: bool = False
    """Without a token: for doors that foreign programs knock on."""

    def allows(self, caller: Caller) -> bool:
        if caller.is_staff:
            return bool(self.staff) and self.staff in caller.rights
        return caller.subject in self.services or ANY_SERVICE in self.services
