"""What a service holds back of a shipment's input because it could not process it. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

DECIDING = "declarations"
"""The service whose input decides what becomes of a declaration."""
DOOR, INBOX = "gateway", "inbox."
"""What a partner wrote to its own topic, and the door could not read, never came to be decided on."""


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries that wait for one target of one service."""

    service: str
    target: str
    count: int
    since: datetime
    reason: str
    """Code of why the first one failed; the others wait behind it."""
    event_id: str = ""
    """Of the first one; empty where it could not be read."""

    def keeps_back(self, declaration_id: str, known: Collection[str]) -> bool:
        """Whether a declaration waits for it: it is for this one, or for none of the others that are known."""
        if self.service == DOOR:
            return self.target.startswith(INBOX)
        meant = self.target == declaration_id or self.target not in known
        return self.service == DECIDING and meant

    def is_of(self, ids: Collection[str], keys: Collection[str]) -> bool:
        """Whether it belongs to the shipment of these ids (of aggregates and events) and keys of records.

        A target is an aggregate, or `topic|key` where the record told none.
        """
        _, _, key = self.target.partition("|")
        return self.target in ids or self.event_id in ids or (bool(key) and key in keys)
