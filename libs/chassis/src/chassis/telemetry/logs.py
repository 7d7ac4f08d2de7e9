"""Log lines: one JSON object each, with trace, span, event and shipment, and without secrets.

All lines, ours and those that libraries write through `logging`, pass through one chain. Every line has the fields of
the current context: `trace_id`, `span_id`, each `trade.*` baggage entry under its own name (such as `trade.ucr`), and
bound fields (`event_id`). Secrets and personal data are removed (`chassis.telemetry.cleaning`). Repeated lines of
libraries are summarised (`chassis.telemetry.storms`); our own lines are all written.
"""

import logging
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

import structlog
from pydantic_core import to_json

from chassis.telemetry import storms, tracing
from chassis.telemetry.cleaning import MAX_TEXT, is_clean, is_secret, masked

_NOISY = ("aiokafka", "faststream", "grpc", "pymongo", "asyncio", "httpx2", "uvicorn.access")
"""Libraries whose INFO lines are of no interest to an operator."""
_ROUTED = ("uvicorn", "uvicorn.error", *_NOISY)
_EACH = "_each"

EventDict = MutableMapping[str, Any]


def configure(service: str, level: str = "INFO", build: str = "", stream: TextIO | None = None) -> None:
    """Write every log line of this process to `stream` (standard output) as JSON. Idempotent."""
    number = logging.getLevelNamesMapping()[level.upper()]
    chain: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _context,
        _exception,
        _without_secrets,
        # The fields added below are our own and need no cleaning.
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _who(service, build),
    ]
    out = stream or sys.stdout
    structlog.configure(
        processors=[*chain, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *name: _Lines(out, name[0] if name else ""),
        cache_logger_on_first_use=False,
    )
    handler = storms.CalmHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*chain, storms.add_repetition],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
            keep_exc_info=False,
        )
    )
    for replaced in logging.root.handlers:
        if isinstance(replaced, storms.CalmHandler):
            replaced.close()
    logging.root.handlers = [handler]
    logging.root.setLevel(number)
    logging.captureWarnings(True)
    for name in _ROUTED:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate, logger.disabled = [], True, False
        logger.setLevel(max(number, logging.WARNING) if name in _NOISY else number)


class _Lines:
    """The structlog logger: writes whole lines under a logger's name."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self.name = name

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = warn = error = critical = exception = fatal = log = msg = _write


def _who(service: str, build: str) -> structlog.typing.Processor:
    def add(logger: Any, _: str, event: EventDict) -> EventDict:
        event["service"] = service
        if build:
            event["build"] = build
        record = event.get("_record")
        name = record.name if record is not None else getattr(logger, "name", "")
        if name:
            event["logger"] = name
        return event

    return add


def _context(_: Any, __: str, event: EventDict) -> EventDict:
    """Add the fields of the current span and baggage."""
    for name, value in tracing.log_fields().items():
        event.setdefault(name, value)
    return event


def _exception(_: Any, __: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into a stack."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["stack"] = "".join(traceback.format_exception(error))[-MAX_TEXT:]
    return event


def _without_secrets(_: Any, __: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if not name.startswith("_"):  # the standard library's own record, removed by its formatter
            event[name] = masked(name, value)
    return event


def _encode(fields: Mapping[str, Any]) -> str:
    return to_json(fields, fallback=repr).decode()


def each(rows: Sequence[Mapping[str, str | Sequence[str]]]) -> dict[str, Any]:
    """Fields for many lines of one event, written at once: `log.info("applied", **each(rows))` writes a line per row.

    A field of the rows replaces the current context's field of the same name in all lines.
    """
    return {_EACH: rows}


def _render(_: Any, __: str, event: EventDict) -> str:
    rows = event.pop(_EACH, None)
    if rows is None:
        return _encode(event)
    own = set[str]().union(*rows)
    shared = _encode({name: value for name, value in event.items() if name not in own})[:-1]
    return "\n".join(f"{shared},{row[1:]}" for row in _encode_rows(rows, own))


def _encode_rows(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """Rows as JSON; they nearly never need cleaning, which one check of all rows shows."""
    with suppress(ValueError):  # a text that cannot be encoded as UTF-8
        encoded = [_encode(row) for row in rows]
        if not any(map(is_secret, names)) and is_clean("".join(encoded)) and max(map(len, encoded)) < MAX_TEXT:
            return encoded
    return [_encode({name: masked(name, value) for name, value in row.items()}) for row in rows]
