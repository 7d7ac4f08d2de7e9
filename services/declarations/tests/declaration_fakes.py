"""In-memory partner events and serials for handler tests. They pass the contract suite of the MongoDB store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.values import Classifier
from declarations.domain import number
from declarations.domain.references import DECISIVE, References
from declarations.ports import KeptEvent, SerialRequest


class MemoryPartnerEvents:
    def __init__(self) -> None:
        self._events: dict[str, KeptEvent] = {}
        self._waiting: dict[str, datetime] = {}

    async def keep(self, events: Sequence[KeptEvent]) -> None:
        for event in events:
            self._events.setdefault(event.id, event)

    async def mark_waiting(self, next_attempts: Mapping[str, datetime]) -> None:
        for id_, moment in next_attempts.items():
            self._events[id_] = replace(self._events[id_], attempts=self._events[id_].attempts + 1)
            self._waiting[id_] = moment

    async def mark_matched(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            if self._waiting.pop(id_, None) is not None:
                self._events[id_] = replace(self._events[id_], attempts=0)

    async def with_references(self, references: Sequence[References]) -> list[KeptEvent]:
        named = {(name, value) for each in references for name in DECISIVE if (value := getattr(each, name))}
        return [
            event
            for event in self._events.values()
            if event.classifier == Classifier.ACTUAL and event.references.decisive in named
        ]

    async def due(self, now: datetime, limit: int) -> list[KeptEvent]:
        due = sorted((moment, id_) for id_, moment in self._waiting.items() if moment <= now)
        return [self._events[id_] for _, id_ in due[:limit]]

    async def unmatched(self, *, after_id: str, limit: int) -> list[KeptEvent]:
        return [self._events[id_] for id_ in sorted(self._waiting) if id_ > after_id][:limit]


class MemorySerials:
    def __init__(self) -> None:
        self._holders: dict[tuple[str, str, str], str] = {}

    async def reserve(self, requests: Sequence[SerialRequest]) -> list[str]:
        return [self._reserve(each) for each in requests]

    def _reserve(self, request: SerialRequest) -> str:
        attempt = 0
        while True:
            serial = number.candidate(request.declaration_id, attempt)
            key = (request.office, number.flag(request.direction), serial)
            if self._holders.setdefault(key, request.declaration_id) == request.declaration_id:
                return serial
            attempt += 1
