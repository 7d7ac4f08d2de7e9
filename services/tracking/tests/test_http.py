"""The support desk over HTTP: staff only, hostile text is harmless, "no data" differs from "nothing happened"."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from services.tracking.tests.tracking_desk import NOW, Desk

from chassis.rpc.paging import cursor
from contracts.texts import LANGUAGES
from tracking.auth import BadPasswordFile, staff_only
from tracking.coverage import Knowledge, TopicCoverage
from tracking.domain.entry import Entry
from tracking.domain.held import Held
from tracking.parked import Halted, Parked, Unknown

EntryMaker = Callable[..., Entry]
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}{lrn}"


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


async def test_spans_no_reads_no_spans(desk: Desk, an_entry: EntryMaker) -> None:
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
    assert body["steps"][0]["stated_at"]["local"] == "2026-01-05 16:00:00 UTC+08:00"
    assert body["situations"][0]["where_text"] in page.text


async def test_the_language_is_negotiated(desk: Desk) -> None:
    for header, language in (("zh-CN,en;q=0.5", "zh"), ("fr,ru;q=0.8", "ru"), ("fr", "en"), ("", "en")):
        page = await desk.page("/", **{"accept-language": header})
        assert f'<html lang="{language}">' in page.text


async def test_no_data_is_distinguished_from_nothing_happened(desk: Desk, an_entry: EntryMaker) -> None:
    desk.coverage += [
        TopicCoverage("declarations.events.v1", Knowledge.READ, 0, None),
        TopicCoverage("partners.events.v1", Knowledge.READ, 0, None),
        TopicCoverage("gateway.events.v1", Knowledge.BEHIND, 7, None),
        TopicCoverage("matching.events.v1", Knowledge.NO_DATA, None, None),
    ]
    unknown = await desk.client.get("/shipments/6CNUCR1")
    assert {each["conclusion"] for each in unknown.json()["coverage"]} == {"read", "no_data"}
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


def _held(service: str, target: str) -> Held:
    return Held(service, target, 5, NOW - timedelta(hours=1), "refused", "PE-9/0.1")


async def test_parked_reports_are_shown_and_are_the_obstacle(desk: Desk, an_entry: EntryMaker) -> None:
    desk.timelines.entries = [an_entry(seq=1, declaration_id="D-1", lrn="L1")]
    desk.parked[0] = Parked(held=(_held("declarations", "D-1"), _held("declarations", "D-99")))
    body = (await desk.client.get("/shipments/6CNUCR1")).json()
    page = (await desk.page("/shipments/6CNUCR1")).text
    (held,) = body["held"]
    assert held["text"].startswith("Platform: 5 reports parked by declarations since 2026-01-05 11:00:00Z")
    assert body["situations"][0]["waiting_for"] == "held"
    assert body["situations"][0]["obstacles"][0]["who_text"] == "The platform: declarations"
    assert held["text"] in page
    assert "D-99" not in page


async def test_parked_reports_of_an_unknown_shipment_are_shown(desk: Desk) -> None:
    desk.parked[0] = Parked(held=(_held("declarations", "gateway.events.v1|6CNUCR1"),))
    assert len((await desk.client.get("/shipments/6CNUCR1")).json()["held"]) == 1


async def test_a_service_that_does_not_answer_is_named_and_not_shown_as_having_nothing_parked(
    desk: Desk, an_entry: EntryMaker
) -> None:
    desk.timelines.entries = [an_entry(seq=1)]
    desk.parked[0] = Parked(unknown=(Unknown("declarations", NOW - timedelta(minutes=2)), Unknown("matching", None)))
    body = (await desk.client.get("/shipments/6CNUCR1")).json()
    assert [each["service"] for each in body["held_unknown"]] == ["declarations", "matching"]
    for path in ("/", "/shipments/6CNUCR1", "/search?q=x"):
        page = (await desk.page(path)).text
        banner = page[: page.index("<main>")]
        assert "declarations did not answer" in banner
        assert "matching did not answer" in banner


async def test_a_service_that_paused_consumption_is_named_at_the_top(desk: Desk) -> None:
    desk.parked[0] = Parked(halted=(Halted("declarations", "schema", NOW - timedelta(minutes=9)),))
    page = (await desk.page("/")).text
    assert "declarations stopped reading at 2026-01-05 11:51:00Z" in page[: page.index("<main>")]


@pytest.mark.parametrize("path", ["/", "/search?q=x", "/shipments/6CNUCR1"])
async def test_a_lagging_topic_is_named_at_the_top_with_as_of(desk: Desk, an_entry: EntryMaker, path: str) -> None:
    desk.timelines.entries = [an_entry(seq=1)]
    as_of = NOW - timedelta(seconds=40)
    desk.coverage += [
        TopicCoverage("partners.events.v1", Knowledge.NO_DATA, None, as_of, as_of),
        TopicCoverage("declarations.events.v1", Knowledge.NO_DATA, None, as_of, as_of),
        TopicCoverage("matching.events.v1", Knowledge.NO_DATA, None, None, None),
        TopicCoverage("gateway.events.v1", Knowledge.READ, 0, NOW, NOW),
        TopicCoverage("registry.events.v1", Knowledge.BEHIND, 1, NOW, NOW - timedelta(seconds=3)),
    ]
    page = (await desk.page(path)).text
    banner = page[: page.index("<main>")]
    assert "As of 2026-01-05 11:59:20Z" in banner
    assert "(40 s ago), later events not read yet: partners.events.v1, declarations.events.v1" in banner
    assert "matching.events.v1" in banner
    assert "gateway.events.v1" not in banner
    assert "registry.events.v1" not in banner


@pytest.mark.parametrize("path", ["/", "/search", "/search?q=nothing"])
async def test_nothing_happened_is_never_said_without_a_shipment(desk: Desk, path: str) -> None:
    desk.coverage += [TopicCoverage("partners.events.v1", Knowledge.READ, 0, NOW, NOW)]
    page = await desk.page(path)
    assert "nothing happened" not in page.text
    assert "Read to its end" in page.text


async def test_an_unsupported_language_is_refused_by_name(desk: Desk) -> None:
    for path in ("/", "/search?q=x", "/shipments/6CN1", "/shipments?id=6CN1"):
        separator = "&" if "?" in path else "?"
        for accept in ("text/html", "application/json"):
            answer = await desk.client.get(f"{path}{separator}lang=de", headers={"accept": accept})
            assert answer.status_code == 400
            assert "lang: de is not supported; use one of zh, ru, en" in answer.text


async def test_the_language_switch_keeps_all_other_parameters(desk: Desk, an_entry: EntryMaker) -> None:
    desk.timelines.entries = [an_entry(id=each, ucr=f"6CN{each}", container="BOX") for each in "ab"]
    page = (await desk.page("/search?q=BOX&lang=en")).text
    for language in LANGUAGES:
        assert f'href="?q=BOX&amp;lang={language}"' in page
    hostile = (await desk.client.get("/search", params={"q": '"><b>&lang=zh'}, headers={"accept": "text/html"})).text
    assert 'href="?q=%22%3E%3Cb%3E%26lang%3Dzh&amp;lang=ru"' in hostile
    assert "?id=..&amp;spans=no&amp;lang=zh" in (await desk.page("/shipments?id=..&spans=no")).text


ODD_IDS = ["..", ".", "x.html", ".html", "a/b", "a/../b", "a%2Fb", "a b", "?lang=de", "#row", "ид-1", "%00", "\\"]


@pytest.mark.parametrize("id_", ODD_IDS)
async def test_the_link_to_any_id_finds_it(desk: Desk, an_entry: EntryMaker, id_: str) -> None:
    entry = an_entry(id="event-1", ucr=id_, lrn="L1")
    desk.timelines.entries = [entry]
    jump = await desk.client.get("/search", params={"q": "L1"}, headers={"accept": "text/html"})
    page = await desk.page(jump.headers["location"])
    by_id = await desk.client.get("/shipments", params={"id": id_})
    assert (page.status_code, by_id.status_code) == (200, 200)
    assert by_id.json()["ucr"] == id_
    assert "event-1" in page.text


async def test_an_id_that_ends_in_html_takes_precedence_over_the_page_of_the_shorter_id(
    desk: Desk, an_entry: EntryMaker
) -> None:
    desk.timelines.entries = [an_entry(id="e1", ucr="x"), an_entry(id="e2", ucr="x.html")]
    assert (await desk.client.get("/shipments/x.html")).json()["ucr"] == "x.html"
    desk.timelines.entries = desk.timelines.entries[:1]
    assert "<h1>" in (await desk.client.get("/shipments/x.html")).text


@pytest.mark.parametrize("path", ["/shipments/", "/shipments", "/shipments?id=", f"/shipments/{'x' * 501}"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_an_empty_and_a_too_long_id_are_refused_with_the_limits(desk: Desk, path: str, accept: str) -> None:
    answer = await desk.client.get(path, headers={"accept": accept})
    assert answer.status_code == 400
    assert "1–500" in answer.text
    assert len(answer.text) < 2500


async def test_an_unknown_page_and_a_wrong_method_are_answered_in_words(desk: Desk) -> None:
    answer = await desk.client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "There is no such page: /nowhere"
    assert (await desk.client.post("/")).json()["detail"] == "This method is not allowed: /"


BAD_SIZES = ["0", "-1", "201", "ten", "1.5", "", "1_0", "٥", "９", "99999999999999999999", "1e2", " 5"]


@pytest.mark.parametrize("size", BAD_SIZES)
@pytest.mark.parametrize("path", ["/search", "/unreadable"])
async def test_a_page_size_that_is_not_a_whole_number_within_the_limits_is_refused(
    desk: Desk, path: str, size: str
) -> None:
    answer = await desk.client.get(path, params={"q": "x", "page_size": size})
    assert answer.status_code == 400
    assert "1–200" in answer.json()["detail"]


@pytest.mark.parametrize("token", ["x", "====", "ü", cursor("6CN1", "other"), cursor((NOW, "t/0/1"), "unreadable")])
async def test_a_page_token_of_another_list_is_refused(desk: Desk, token: str) -> None:
    answer = await desk.client.get("/search", params={"q": "x", "page_token": token})
    assert answer.status_code == 400
    assert "page_token" in answer.json()["detail"]


@pytest.mark.parametrize("size", [1, 2, 4, 5, 200])
async def test_pages_show_every_result_once(desk: Desk, an_entry: EntryMaker, size: int) -> None:
    desk.timelines.entries = [an_entry(id=f"e{each}", ucr=f"6CN{each}", container="BOX") for each in range(5)]
    for path, name, key in (("/search", "results", "thread"), ("/unreadable", "records", "position")):
        seen: list[str] = []
        token = ""
        while True:
            asked = {"q": "BOX", "page_size": str(size)} | ({"page_token": token} if token else {})
            body = (await desk.client.get(path, params=asked)).json()
            seen += [each[key] for each in body[name]]
            token = body["next_page_token"]
            if not token:
                break
        assert len(seen) == len(set(seen)) == 5
