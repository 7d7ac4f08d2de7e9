"""The support desk over in-memory stores, behind the same middleware as in the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from chassis.doors.http_door import http_door
from chassis.rpc.paging import Place
from chassis.settings import HttpSettings
from tracking.auth import staff_only
from tracking.coverage import TopicCoverage
from tracking.domain.entry import Entry
from tracking.http import make_app
from tracking.parked import Parked

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PLACES = 2


@dataclass
class FakeTimelines:
    entries: list[Entry] = field(default_factory=list)

    async def thread(self, thread: str) -> list[Entry]:
        return [each for each in self.entries if each.thread == thread]

    async def search(self, query: str, after: str, limit: int) -> list[tuple[str, set[str]]]:
        found: dict[str, set[str]] = {}
        for each in self.entries:
            for kind, value in each.terms:
                if value == query and each.thread > after:
                    found.setdefault(each.thread, set()).add(kind)
        return sorted(found.items())[:limit]

    async def unreadable(self, before: Place | None, limit: int) -> tuple[int, list[dict[str, Any]]]:
        kept = [{"_id": f"t/0/{number}", "reason": "bad", "kept_at": NOW} for number in reversed(range(5))]
        return len(kept), [each for each in kept if before is None or str(each["_id"]) < before[1]][:limit]


@dataclass
class FakeSpans:
    spans: list[dict[str, Any]] = field(default_factory=list)

    async def of(self, ucr: str) -> list[dict[str, Any]]:
        return [each for each in self.spans if each["ucr"] == ucr]

    async def shipments_of_trace(self, trace_id: str) -> set[str]:
        return {each["ucr"] for each in self.spans if each["trace_id"] == trace_id}


@dataclass
class Desk:
    client: httpx2.AsyncClient
    timelines: FakeTimelines
    spans: FakeSpans
    coverage: list[TopicCoverage]
    parked: list[Parked]

    async def page(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers={"accept": "text/html", **headers})


@asynccontextmanager
async def a_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    secret = tmp_path / "password"
    secret.write_text("long enough password\n")
    timelines, spans, coverage, parked = FakeTimelines(), FakeSpans(), list[TopicCoverage](), [Parked()]
    served = make_app(
        timelines,
        spans,
        lambda: coverage,
        lambda: parked[0],
        now=lambda: NOW,
        admits=staff_only("staff", secret),
        zone=ZoneInfo("Asia/Shanghai"),
    )
    settings = HttpSettings(port=0, places=PLACES, waiting=0)
    transport = httpx2.ASGITransport(http_door(served.app, settings, paths=served.paths, otherwise=served.otherwise))
    auth = ("staff", "long enough password")
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk", auth=auth) as client:
        yield Desk(client, timelines, spans, coverage, parked)
