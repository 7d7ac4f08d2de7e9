"""Parked deliveries of a shipment's input, which a service could not process. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

DECIDING = "declarations"
"""The service whose parked input holds up a declaration."""
DOOR, INBOX = "gateway", "inbox."
"""Partner records that the gateway parked from a partner's own topic never reached declarations."""


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries parked by one service for one target."""

    service: str
    target: str
    count: int
    since: datetime
    reason: str
    """Code of why the first delivery failed; the others wait behind it."""
    event_id: str = ""
    """Of the first delivery; empty if it could not be read."""

    def keeps_back(self, declaration_id: str, known: Collection[str]) -> bool:
        """Whether it holds up the declaration: its target is this declaration, or no other known one."""
        if self.service == DOOR:
            return self.target.startswith(INBOX)
        meant = self.target == declaration_id or self.target not in known
        return self.service == DECIDING and meant

    def is_of(self, ids: Collection[str], keys: Collection[str]) -> bool:
        """Whether it belongs to the shipment with these ids (of aggregates and events) and record keys.

        A target is an aggregate id, or `topic|key` if the record named no aggregate.
        """
        _, _, key = self.target.partition("|")
        return self.target in ids or self.event_id in ids or (bool(key) and key in keys)
