"""Deletes acknowledged outbox entries lazily: with the document's next save, or once it is idle."""

from collections.abc import Callable, Mapping

import structlog

from chassis.aggregates.publishing import Source
from chassis.clock import Clock
from chassis.failpoints import passage

log = structlog.get_logger(__name__)

TRIM_SECONDS = 2.5
"""A document that is saved again within this, up to twice this, needs no trim of its own."""

DocumentKey = tuple[int, str]
"""(identity of its source, its id)"""


class Trimming:
    """Acknowledged entries that are still in their outboxes."""

    def __init__(self, clock: Clock, busy: Callable[[DocumentKey], bool]) -> None:
        """`busy`: whether a document has unacknowledged entries."""
        self._clock = clock
        self._busy = busy
        self._acknowledged: dict[DocumentKey, int] = {}
        self._quiet: dict[DocumentKey, int] = {}
        """Acknowledged and idle at the previous look."""
        self._owner: dict[int, Source] = {}

    def acknowledged(self, document: DocumentKey) -> int:
        """The highest acknowledged sequence number of a document that is not trimmed yet; 0: none."""
        return self._acknowledged.get(document, 0)

    def acknowledge(self, source: Source, id_: str, seq: int) -> None:
        self._owner[id(source)] = source
        self._acknowledged[id(source), id_] = seq

    async def run(self) -> None:
        """Trim idle documents, for ever."""
        while True:
            await self._clock.sleep(TRIM_SECONDS)
            # Idle at two looks in a row: no save has come that would have trimmed it without a write of its own.
            before, self._quiet = self._quiet, self._at_rest()
            try:
                await self._trim({each: seq for each, seq in self._quiet.items() if before.get(each) == seq})
            except Exception as error:
                log.warning("trim_failed", error=repr(error))

    async def trim_all(self) -> None:
        """Trim all idle documents now."""
        await self._trim(self._at_rest())

    def _at_rest(self) -> dict[DocumentKey, int]:
        return {document: seq for document, seq in self._acknowledged.items() if not self._busy(document)}

    async def _trim(self, quiet: Mapping[DocumentKey, int]) -> None:
        """Trim documents and forget them; a busy one is trimmed by its next save."""
        by_owner: dict[int, dict[str, int]] = {}
        for (owner, id_), seq in quiet.items():
            by_owner.setdefault(owner, {})[id_] = seq
        for owner, acknowledged in by_owner.items():
            passage("trim.before")
            await self._owner[owner].trim(acknowledged)
            passage("trim.after")
            for id_, seq in acknowledged.items():
                if self._acknowledged.get((owner, id_)) == seq and not self._busy((owner, id_)):
                    del self._acknowledged[(owner, id_)]
