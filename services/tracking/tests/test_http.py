"""The support desk's door: staff only, every hostile text harmless, no data told from nothing."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from contracts.texts import LANGUAGES
from tracking.auth import BadPasswordFile, staff_only
from tracking.coverage import Knowledge, TopicCoverage
from tracking.domain.entry import Entry
from tracking.http import make_app

EntryMaker = Callable[..., Entry]
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}{lrn}"


@dataclass
class FakeTimelines:
    entries: list[Entry] = field(default_factory=list)

    async def thread(self, thread: str) -> list[Entry]:
        return [each for each in self.entries if each.thread == thread]

    async def search(self, query: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for each in self.entries:
            for kind, value in each.terms:
                if value == query:
                    found.setdefault(each.thread, set()).add(kind)
        return found

    async def unreadable(self) -> tuple[int, list[dict[str, Any]]]:
        return 0, []


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

    async def page(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers={"accept": "text/html", **headers})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    secret = tmp_path / "password"
    secret.write_text("long enough password\n")
    timelines, spans, coverage = FakeTimelines(), FakeSpans(), list[TopicCoverage]()
    app = make_app(
        timelines,
        spans,
        lambda: coverage,
        admits=staff_only("staff", secret),
        zone=ZoneInfo("Asia/Shanghai"),
    )
    transport = httpx2.ASGITransport(app)
    auth = ("staff", "long enough password")
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk", auth=auth) as client:
        yield Desk(client, timelines, spans, coverage)


@pytest.mark.parametrize("auth", [("staff", "wrong"), ("other", "long enough password"), ("staff", "")])
@pytest.mark.parametrize("path", ["/", "/shipments/6CN1", "/search?q=x", "/unreadable", "/nowhere", "/style.css"])
async def test_only_staff_get_in_and_every_answer_carries_the_headers(
    desk: Desk, auth: tuple[str, str], path: str
) -> None:
    refused = await desk.client.get(path, auth=auth)
    admitted = await desk.client.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert admitted.status_code != 401
    for response in (refused, admitted):
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic " + "A" * 5000])
async def test_a_broken_authorization_is_refused(desk: Desk, header: str) -> None:
    response = await desk.client.get("/", headers={"authorization": header}, auth=None)
    assert response.status_code == 401


def test_without_a_password_nobody_is_let_in(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("1234")
    for name in ("absent", "short"):
        with pytest.raises(BadPasswordFile):
            staff_only("staff", tmp_path / name)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_hostile_text_is_shown_and_never_executed(desk: Desk, an_entry: EntryMaker, language: str) -> None:
    refs = {"ucr": "6CNUCR1", "container": HOSTILE}
    where = {"unlocode": HOSTILE, "facility": HOSTILE}
    gate = an_entry("partners.shipment.gate_in", id=HOSTILE, references=refs, location=where, publisher=HOSTILE)
    notice = an_entry("notifications.notice.sent", id="n1", recipient=HOSTILE, template=HOSTILE, subject="N")
    found = an_entry("matching.match.found", id="m", match_id=HOSTILE, reasons=[{"code": HOSTILE}], subject="M")
    errors = [{"code": HOSTILE, "pointer": HOSTILE}]
    rejected = an_entry("declarations.declaration.rejected", id="d", lrn=HOSTILE, errors=errors)
    lines = [{"item": 1, "formula": HOSTILE}]
    assessed = an_entry("declarations.declaration.assessed", id="e", lines=lines)
    clash = an_entry("partners.shipment.gate_in", id=HOSTILE, references=refs)
    desk.timelines.entries = [gate, notice, found, rejected, assessed, clash]
    span = {"ucr": "6CNUCR1", "started_at": "", "milliseconds": 1, "trace_id": "t", "status": "ok"}
    desk.spans.spans = [{**span, "service": HOSTILE, "name": HOSTILE}]
    for path in (f"/shipments/6CNUCR1.html?lang={language}", f"/shipments/{HOSTILE}.html?lang={language}"):
        page = await desk.page(path)
        assert "<script" not in page.text
        assert "alert(1)" in page.text
        assert "{{7*7}}" in page.text
    searched = await desk.client.get("/search", params={"q": HOSTILE + "!"}, headers={"accept": "text/html"})
    assert "<script" not in searched.text


async def test_who_wants_no_spans_costs_no_look_at_them(desk: Desk, an_entry: EntryMaker) -> None:
    desk.timelines.entries = [an_entry(seq=1, declaration_id="D-1", lrn="L1")]
    desk.spans.spans = [{"ucr": "6CNUCR1", "trace_id": "t", "service": "gateway", "name": "POST"}]
    whole, without = [(await desk.client.get(f"/shipments/6CNUCR1?{query}")).json() for query in ("", "spans=no")]
    assert (len(whole["spans"]), without["spans"]) == (1, [])
    assert whole["steps"] == without["steps"]


async def test_json_and_page_say_the_same(desk: Desk, an_entry: EntryMaker) -> None:
    desk.timelines.entries = [an_entry(seq=1, declaration_id="D-1", lrn="L1")]
    body = (await desk.client.get("/shipments/6CNUCR1?lang=ru")).json()
    page = await desk.page("/shipments/6CNUCR1?lang=ru")
    assert body["known"] is True
    assert body["situations"][0]["waiting_for"] == "checking"
    assert body["steps"][0]["text"] in page.text
    assert body["steps"][0]["stated_at"]["utc"] == "2026-01-05 08:00:00Z"
    assert body["steps"][0]["stated_at"]["local"] == "2026-01-05 16:00:00 CST"
    assert body["situations"][0]["where_text"] in page.text


async def test_the_reader_s_language_is_found(desk: Desk) -> None:
    for header, language in (("zh-CN,en;q=0.5", "zh"), ("fr,ru;q=0.8", "ru"), ("fr", "en"), ("", "en")):
        page = await desk.page("/", **{"accept-language": header})
        assert f'<html lang="{language}">' in page.text


async def test_no_data_is_told_from_nothing_happened(desk: Desk, an_entry: EntryMaker) -> None:
    desk.coverage += [
        TopicCoverage("declarations.events.v1", Knowledge.READ, 0, None),
        TopicCoverage("partners.events.v1", Knowledge.READ, 0, None),
        TopicCoverage("gateway.events.v1", Knowledge.BEHIND, 7, None),
        TopicCoverage("matching.events.v1", Knowledge.NO_DATA, None, None),
    ]
    unknown = await desk.client.get("/shipments/6CNUCR1")
    desk.timelines.entries = [an_entry()]
    known = await desk.client.get("/shipments/6CNUCR1")
    assert (unknown.status_code, known.status_code) == (404, 200)
    assert [each["conclusion"] for each in known.json()["coverage"]] == [
        "happened",
        "nothing_happened",
        "no_data",
        "no_data",
    ]
    assert "7" in known.json()["coverage"][2]["text"]


async def test_an_exact_id_jumps_to_its_shipment(desk: Desk, an_entry: EntryMaker) -> None:
    entry = an_entry(seq=1, lrn="L1")
    desk.timelines.entries = [entry]
    for query in ("L1", "6CNUCR1", entry.id, entry.trace_id):
        jump = await desk.client.get("/search", params={"q": query}, headers={"accept": "text/html"})
        assert (jump.status_code, jump.headers["location"]) == (303, "/shipments/6CNUCR1?lang=en")
        listed = await desk.client.get("/search", params={"q": query})
        assert [each["thread"] for each in listed.json()["results"]] == ["6CNUCR1"]
    nothing = await desk.client.get("/search", params={"q": "L"})
    assert nothing.json()["results"] == []


async def test_the_page_loads_nothing_from_elsewhere(desk: Desk, an_entry: EntryMaker) -> None:
    desk.timelines.entries = [an_entry()]
    page = (await desk.page("/shipments/6CNUCR1.html")).text
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_personal_data_of_an_event_is_masked(desk: Desk, an_entry: EntryMaker, accept: str) -> None:
    desk.timelines.entries.append(
        an_entry("partners.control.inspection_completed", result="conform", findings="opened by Li Wei")
    )
    answer = await desk.client.get("/shipments/6CNUCR1", headers={"accept": accept})
    assert "conform" in answer.text
    assert "Li Wei" not in answer.text
