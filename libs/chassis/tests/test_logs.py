"""Every line is JSON, names the work it belongs to, and reveals no secrets."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import structlog
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel, SecretStr, ValidationError
from pymongo.errors import BulkWriteError
from tallies import TALLY, TOPIC, add

from chassis.telemetry import logs
from chassis.testing import in_memory
from contracts.values import Payload, personal


class Lines:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.all()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Logging as in a process; restored afterwards."""
    handlers, level = list(logging.root.handlers), logging.root.level
    written = Lines()
    logs.configure("registry", "INFO", "1.2.3", stream=written.stream)
    yield written
    structlog.reset_defaults()
    logging.captureWarnings(False)
    logging.root.handlers = handlers
    logging.root.setLevel(level)


def test_a_line_names_service_build_level_and_logger(lines: Lines) -> None:
    structlog.get_logger("registry.app").info("started", port=1)
    named = {"service": "registry", "build": "1.2.3", "logger": "registry.app"}
    assert lines.last.items() >= {"event": "started", "level": "info", "port": 1, **named}.items()
    assert lines.last["timestamp"].endswith("Z")


def test_a_line_carries_trace_span_shipment_and_event(lines: Lines) -> None:
    token = context.attach(baggage.set_baggage("trade.ucr", "UCR-1", baggage.set_baggage("other", "no")))
    try:
        with (
            TracerProvider().get_tracer("test").start_as_current_span("s") as span,
            structlog.contextvars.bound_contextvars(event_id="E/0.1"),
        ):
            structlog.get_logger("x").info("applied")
            logging.getLogger("aiokafka").warning("lost %s", "a broker")
    finally:
        context.detach(token)
    for line in lines.all():
        assert line["trace_id"] == format(span.get_span_context().trace_id, "032x")
        assert line["span_id"] == format(span.get_span_context().span_id, "016x")
        assert line["trade.ucr"] == "UCR-1"
        assert line["event_id"] == "E/0.1"
        assert "other" not in line
    assert lines.last["event"] == "lost a broker"


@pytest.mark.parametrize(
    "name", ["uvicorn", "uvicorn.error", "uvicorn.access", "aiokafka", "faststream", "grpc._cython"]
)
def test_what_libraries_log_goes_the_same_way_once(lines: Lines, name: str) -> None:
    logging.getLogger(name).error("broken: %s", "x")
    assert len(lines.all()) == 1
    assert lines.last.items() >= {"event": "broken: x", "level": "error", "logger": name, "service": "registry"}.items()


def test_the_level_counts_and_libraries_chatter_is_left_out(lines: Lines) -> None:
    structlog.get_logger("x").debug("no")
    logging.getLogger("aiokafka.consumer").info("no")
    assert lines.all() == []


def test_warnings_are_lines_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "old" in lines.last["event"]


class Firm(Payload):
    code: str
    phone: Annotated[str, personal()] = ""
    contact: str = personal(default="")


SECRET = "hunter2hunter2"
TOKEN = "eyJhbGciOiJFZDI1NTE5In0.eyJpc3MiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"sasl_plain_password": SECRET},
        {"api_key": SECRET},
        {"headers": {"Authorization": SECRET, "X-Signature": SECRET}},
        {"settings": [{"mongo": {"secret": SECRET}}]},
        {"url": f"mongodb://trade:{SECRET}@db:27017"},
        {"error": f"Authorization: Bearer {SECRET}"},
        {"setting": SecretStr(SECRET)},
        {"key": object.__new__(type("Key", (), {"__repr__": lambda _: SECRET}))},
        {"raw": SECRET.encode()},
        {"firm": Firm(code="F", contact=SECRET)},
    ],
)
def test_secrets_and_personal_data_do_not_pass(lines: Lines, fields: dict[str, Any]) -> None:
    structlog.get_logger("x").warning("seen", **fields)
    assert SECRET not in lines.stream.getvalue()
    assert lines.last["event"] == "seen"


def test_tokens_and_mail_addresses_in_texts_do_not_pass(lines: Lines) -> None:
    structlog.get_logger("x").warning("seen", why=f"bad token {TOKEN} of li.wei@example.com")
    logging.getLogger("y").warning("bad token %s of %s", TOKEN, "li.wei@example.com")
    assert TOKEN not in lines.stream.getvalue()
    assert "li.wei" not in lines.stream.getvalue()


def test_refused_input_does_not_pass_with_its_error(lines: Lines) -> None:
    class Person(BaseModel):
        born: int

    try:
        Person.model_validate({"born": SECRET})
    except ValidationError as error:
        structlog.get_logger("x").error("refused", error=repr(error), exc_info=True)
    assert SECRET not in lines.stream.getvalue()
    assert "ValidationError" in lines.last["stack"]


def test_any_value_makes_a_line(lines: Lines) -> None:
    structlog.get_logger("x").info("odd", a={1: {2, 3}}, b=float("nan"), c=[object()], d=None, e="\ud800", f=b"\xff")
    assert lines.last["event"] == "odd"
    lines.stream.getvalue().encode()  # as standard output does
    assert "NaN" not in lines.stream.getvalue()


async def test_the_line_of_an_applied_input_names_its_event_and_its_shipment(lines: Lines) -> None:
    tallies, _ = in_memory(TALLY, topic=TOPIC)
    await tallies.apply_one(add("T-1", "E/0.1"))
    assert lines.last.items() >= {"event": "applied", "event_id": "E/0.1", "trade.ucr": "UCR-1"}.items()


async def test_what_was_not_saved_is_not_told_as_applied(lines: Lines) -> None:
    tallies, _ = in_memory(TALLY, topic=TOPIC)
    for _ in range(2):
        await tallies.apply([add("T-1", "E/0.1")], unseen=True)
    assert [line["event_id"] for line in lines.all() if line["event"] == "applied"] == ["E/0.1"]


def test_a_refused_write_gives_its_document_away_to_no_one(lines: Lines) -> None:
    refused = BulkWriteError({"writeErrors": [{"index": 0, "code": 10334, "op": {"_id": 1, "name": "Li Wei"}}]})
    log = structlog.get_logger("x")
    log.warning("batch_failed", error=repr(refused), why=repr({"cause": repr(refused)}))
    log.warning("batch_failed", error=refused)
    for line in lines.all():
        assert "Li Wei" not in json.dumps(line)
        assert "10334" in line["error"]
