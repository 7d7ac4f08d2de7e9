"""Many lines written at once equal the same lines written one by one."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import baggage, context

from chassis.telemetry import cleaning, logs

EVENTS = ["trade.tallies.tally.added.v1"]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level = list(logging.root.handlers), logging.root.level
    written = io.StringIO()
    logs.configure("registry", "INFO", "1.2.3", stream=written)
    yield written
    structlog.reset_defaults()
    logging.captureWarnings(False)
    logging.root.handlers = handlers
    logging.root.setLevel(level)


def fields(line: str) -> dict[str, Any]:
    found = json.loads(line, object_pairs_hook=_each_name_once)
    del found["timestamp"]
    return found  # type: ignore[no-any-return]


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), f"a name stands twice: {pairs}"
    return dict(pairs)


@pytest.mark.parametrize(
    "row",
    [
        {"aggregate": "A", "events": EVENTS},
        {"aggregate": "A", "events": []},
        {"aggregate": "li.wei@firm.example.kz"},
        {"aggregate": "A", "events": ["Bearer abcdefgh1234"]},
        {"aggregate": "Bearer\tabcdefgh1234"},
        {"aggregate": "Bearer\u00a0abcdefgh1234"},
        {"aggregate": "xeyJhbGciOiJI.eyJzdWIiOiIx.c2ln"},
        {"aggregate": "mongodb://user:pass@host/db"},
        {"aggregate": "A", "password": "p"},
        {"aggregate": "货物 \ud800"},
        {"aggregate": 'a "quoted" one\n\\'},
        {"aggregate": "x" * 2 * cleaning.MAX_TEXT},
        {"aggregate": "A", "trade.ucr": "UCR-2"},
    ],
)
def test_a_row_is_what_a_line_by_itself_is(stream: io.StringIO, row: dict[str, Any]) -> None:
    log = structlog.get_logger("registry.app")
    token = context.attach(baggage.set_baggage("trade.declaration.id", "D-1"))
    try:
        log.info("applied", **row)
        log.info("applied", **logs.each([row, {"aggregate": "B"}]))
    finally:
        context.detach(token)
    alone, first, second = map(fields, stream.getvalue().splitlines())
    assert first == alone
    assert second == {**{name: value for name, value in alone.items() if name not in row}, "aggregate": "B"}


def test_what_a_row_says_wins_over_the_current_context(stream: io.StringIO) -> None:
    token = context.attach(baggage.set_baggage("trade.ucr", "UCR-1"))
    try:
        structlog.get_logger("registry.app").info("applied", **logs.each([{"trade.ucr": "UCR-2"}]))
    finally:
        context.detach(token)
    assert fields(stream.getvalue())["trade.ucr"] == "UCR-2"
