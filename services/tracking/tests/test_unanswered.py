"""If the database cannot be read, the desk answers 503 with Retry-After: never 500, never "nothing happened"."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient, errors
from services.tracking.tests.tracking_desk import PLACES, Desk

from chassis.mongo import open_database
from contracts.texts import LANGUAGES
from tracking.store import TimelineStore

AWAY = [
    errors.NetworkTimeout("mongo-0:27017: timed out"),
    errors.ServerSelectionTimeoutError("mongo-0:27017: no servers"),
    errors.AutoReconnect("mongo-0:27017: connection closed"),
    errors.WaitQueueTimeoutError("mongo-0:27017: no connection became free"),
]
PATHS = ["/shipments/6CN1", "/shipments/6CN1.html", "/shipments?id=6CN1", "/search?q=x", "/unreadable"]


def fail(monkeypatch: pytest.MonkeyPatch, desk: Desk, error: Exception) -> None:
    async def fails(*_: Any) -> None:
        raise error

    for name in ("thread", "search", "unreadable"):
        monkeypatch.setattr(desk.timelines, name, fails)


@pytest.mark.parametrize("error", AWAY, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("path", PATHS)
async def test_an_unreachable_or_slow_database_is_503_with_retry_after(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, error: Exception
) -> None:
    fail(monkeypatch, desk, error)
    for answer in (await desk.client.get(path), await desk.page(path)):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "mongo-0" not in answer.text
        assert "Traceback" not in answer.text


async def test_spans_that_cannot_be_read_are_503_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, an_entry: Callable[..., Any]
) -> None:
    desk.timelines.entries = [an_entry()]

    async def fails(*_: Any) -> None:
        raise AWAY[0]

    monkeypatch.setattr(desk.spans, "of", fails)
    assert (await desk.client.get("/shipments/6CNUCR1")).status_code == 503
    assert (await desk.client.get("/shipments/6CNUCR1?spans=no")).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_error_is_in_the_reader_s_language_as_page_and_as_problem(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    fail(monkeypatch, desk, AWAY[0])
    words = {"zh": "数据库没有应答", "ru": "База данных не отвечает", "en": "The database does not answer"}[language]
    page = await desk.page("/shipments/6CN1", **{"accept-language": language})
    named = await desk.page(f"/shipments/6CN1?lang={language}", **{"accept-language": "fr"})
    problem = await desk.client.get("/shipments/6CN1", headers={"accept-language": language})
    for each in (page, named):
        assert f'<html lang="{language}">' in each.text
        assert words in each.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert (problem.json()["status"], words in problem.json()["detail"]) == (503, True)


async def test_a_bug_is_500_and_shows_no_internals(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, desk, KeyError("a secret"))
    answer = await desk.page("/shipments/6CN1")
    assert (answer.status_code, "retry-after" in answer.headers) == (500, False)
    assert "secret" not in answer.text
    assert "The service failed" in answer.text


async def test_requests_without_a_place_are_turned_away_before_the_database_is_queried(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_: str) -> list[Any]:
        asked.release()
        await go.wait()
        return []

    monkeypatch.setattr(desk.timelines, "thread", slow)
    in_hand = [asyncio.create_task(desk.client.get("/shipments/6CN1")) for _ in range(PLACES)]
    for _ in in_hand:
        await asked.acquire()
    answer = await desk.client.get("/shipments/6CN1", headers={"accept-language": "ru"})
    assert (answer.status_code, asked.locked()) == (503, True)
    assert "Сейчас слишком много запросов" in json.loads(answer.text)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    go.set()
    assert {(await each).status_code for each in in_hand} == {404}


async def test_the_real_driver_against_a_server_that_never_answers_gives_503(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the driver gives up
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    driver: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=300, connectTimeoutMS=100
    )
    monkeypatch.setattr(desk.timelines, "thread", TimelineStore(open_database(driver, "tracking")).thread)
    async with server:
        answer = await desk.page("/shipments/6CN1")
        await driver.close()
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert str(port) not in answer.text
