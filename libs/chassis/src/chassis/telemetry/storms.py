"""Limits repeated log lines of libraries: repetitions are counted, and reported once per interval.

Keeps: the first line of a kind is written at once and whole; every suppressed line is counted in a later one, also at
the end of the process. A client library that has lost its server logs hundreds of lines of one kind per second, which
would hide the line that says why.
"""

import copy
import logging
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

INTERVAL_SECONDS = 60.0
MAX_KINDS = 500

_SHAPED = 300
"""How many characters of a line determine its kind."""
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|\d+")
"""Numbers and ids, which differ between lines of one kind. Names of topics, servers and errors are kept."""

Kind = tuple[str, int, str]
"""Logger, level, shape of the text with the exception's type."""


@dataclass(slots=True)
class _Interval:
    """The time after a line was written in which lines of its kind are only counted."""

    ends: float
    first: logging.LogRecord | None = None
    """The first suppressed line, without references that would keep objects alive."""
    left_out: int = 0

    def summary(self) -> list[logging.LogRecord]:
        """The summary line of the suppressed lines, if there are any."""
        if self.first is None:
            return []
        self.first.left_out = self.left_out
        return [self.first]


class Storms:
    """Decides which log records are written, and when. Times are monotonic seconds."""

    def __init__(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._seconds = interval_seconds
        self._running: OrderedDict[Kind, _Interval] = OrderedDict()
        """Ordered by their ends."""

    @property
    def next_end(self) -> float | None:
        """The end of the next interval with suppressed lines; None if there is none."""
        return next((each.ends for each in self._running.values() if each.left_out), None)

    def take(self, record: logging.LogRecord, now: float) -> list[logging.LogRecord]:
        """Add a record; return the records to write now."""
        written = self.ended(now)
        text = record.getMessage()
        kind = _kind(record, text)
        running = self._running.get(kind)
        if running is None:
            self._running[kind] = _Interval(now + self._seconds)
            if len(self._running) > MAX_KINDS:
                written += self._running.popitem(last=False)[1].summary()
            return [*written, record]
        running.left_out += 1
        if running.first is None:
            running.first = _bare(record, text)
        return written

    def ended(self, now: float) -> list[logging.LogRecord]:
        """The summary lines of intervals that have ended; each starts a new interval."""
        written: list[logging.LogRecord] = []
        while self._running and next(iter(self._running.values())).ends <= now:
            kind, running = self._running.popitem(last=False)
            if told := running.summary():
                written += told
                self._running[kind] = _Interval(now + self._seconds)
        return written

    def rest(self) -> list[logging.LogRecord]:
        """The summary lines of all intervals, at the end of the process."""
        running, self._running = self._running, OrderedDict()
        return [line for each in running.values() for line in each.summary()]


class CalmHandler(logging.StreamHandler[TextIO]):
    """Writes log records to a stream, with repetitions summarised."""

    def __init__(self, stream: TextIO, interval_seconds: float = INTERVAL_SECONDS) -> None:
        super().__init__(stream)
        self._storms = Storms(interval_seconds)
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            lines = self._storms.take(record, time.monotonic())
        except Exception:  # the text does not match its arguments
            self.handleError(record)
            return
        self._write(lines)

    def close(self) -> None:
        """Write the summary lines; the standard library calls this when the process ends."""
        self.acquire()
        try:
            if self._timer is not None:
                self._timer.cancel()
            for line in self._storms.rest():
                super().emit(line)
        finally:
            self.release()
        super().close()

    def _write(self, lines: list[logging.LogRecord]) -> None:
        for line in lines:
            super().emit(line)
        if self._timer is None and (ends := self._storms.next_end) is not None:
            self._timer = threading.Timer(max(0.0, ends - time.monotonic()), self._ring)
            self._timer.daemon = True  # do not delay the end of the process
            self._timer.start()

    def _ring(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._write(self._storms.ended(time.monotonic()))
        finally:
            self.release()


class Plain(logging.Formatter):
    """Lines for a terminal: the text, and how often it was repeated."""

    def format(self, record: logging.LogRecord) -> str:
        left_out = getattr(record, "left_out", 0)
        return super().format(record) + (f" ({left_out} times)" if left_out else "")


def calm_stderr() -> None:
    """In a command, send what libraries log to standard error, with repetitions summarised."""
    handler = CalmHandler(sys.stderr)
    handler.setFormatter(Plain())
    logging.basicConfig(handlers=[handler])


def add_repetition(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add to a summary line how many lines were suppressed, and when the first one came."""
    record = event.get("_record")
    if left_out := getattr(record, "left_out", 0):
        event["repeated"] = left_out
        event["since"] = datetime.fromtimestamp(record.created, UTC).isoformat()  # type: ignore[union-attr]  # it has the mark
    return event


def _kind(record: logging.LogRecord, text: str) -> Kind:
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
    return record.name, record.levelno, f"{error} {_VARYING.sub('#', text[:_SHAPED])}"


def _bare(record: logging.LogRecord, text: str) -> logging.LogRecord:
    bare = copy.copy(record)
    bare.msg, bare.args = text, None
    bare.exc_info = bare.exc_text = bare.stack_info = None
    return bare
