"""Storms of lines that libraries write: what repeats is counted, and told once an interval.

Keeps: the first line of a kind is written at once and whole, and no line is left out without a later one that counts
it, at the end of the process too. A client library that has lost its server writes hundreds of lines a second of one
kind; in them nobody finds the line of another kind that says why.
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
"""Characters of a line that say of what kind it is."""
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|\d+")
"""Numbers and ids: what differs between lines of one kind. Names of topics, servers and errors stay."""

Kind = tuple[str, int, str]
"""Logger, level, shape of the text with the exception's type."""


@dataclass(slots=True)
class _Interval:
    """The time after a line was written, in which those of its kind are counted."""

    ends: float
    first: logging.LogRecord | None = None
    """The first that was left out, without what it would keep alive."""
    left_out: int = 0

    def told(self) -> list[logging.LogRecord]:
        """The line that stands for those left out, if any."""
        if self.first is None:
            return []
        self.first.left_out = self.left_out
        return [self.first]


class Storms:
    """What of a stream of log records is to be written, and when. Times are seconds that only grow."""

    def __init__(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._seconds = interval_seconds
        self._running: OrderedDict[Kind, _Interval] = OrderedDict()
        """By when they end."""

    @property
    def next_end(self) -> float | None:
        """When an interval ends in which lines were left out; None where there is none."""
        return next((each.ends for each in self._running.values() if each.left_out), None)

    def take(self, record: logging.LogRecord, now: float) -> list[logging.LogRecord]:
        """Take a record in; returns what is to be written now."""
        written = self.ended(now)
        text = record.getMessage()
        kind = _kind(record, text)
        running = self._running.get(kind)
        if running is None:
            self._running[kind] = _Interval(now + self._seconds)
            if len(self._running) > MAX_KINDS:
                written += self._running.popitem(last=False)[1].told()
            return [*written, record]
        running.left_out += 1
        if running.first is None:
            running.first = _bare(record, text)
        return written

    def ended(self, now: float) -> list[logging.LogRecord]:
        """The lines of intervals that have ended; where some were left out the next interval begins with that line."""
        written: list[logging.LogRecord] = []
        while self._running and next(iter(self._running.values())).ends <= now:
            kind, running = self._running.popitem(last=False)
            if told := running.told():
                written += told
                self._running[kind] = _Interval(now + self._seconds)
        return written

    def rest(self) -> list[logging.LogRecord]:
        """The lines of all intervals, at the end."""
        running, self._running = self._running, OrderedDict()
        return [line for each in running.values() for line in each.told()]


class CalmHandler(logging.StreamHandler[TextIO]):
    """Writes log records to a stream, without their storms."""

    def __init__(self, stream: TextIO, interval_seconds: float = INTERVAL_SECONDS) -> None:
        super().__init__(stream)
        self._storms = Storms(interval_seconds)
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            lines = self._storms.take(record, time.monotonic())
        except Exception:  # of a text that does not fit its arguments
            self.handleError(record)
            return
        self._write(lines)

    def close(self) -> None:
        """Write what was left out; the standard library calls it when the process ends."""
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
            self._timer.daemon = True  # the end of the process does not wait for it
            self._timer.start()

    def _ring(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._write(self._storms.ended(time.monotonic()))
        finally:
            self.release()


class Plain(logging.Formatter):
    """Lines for a person at a terminal: the text, and how often."""

    def format(self, record: logging.LogRecord) -> str:
        left_out = getattr(record, "left_out", 0)
        return super().format(record) + (f" ({left_out} times)" if left_out else "")


def calm_stderr() -> None:
    """Have what libraries log in a command, which has no log of its own, go to standard error without its storms."""
    handler = CalmHandler(sys.stderr)
    handler.setFormatter(Plain())
    logging.basicConfig(handlers=[handler])


def told(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add to a line that stands for others how many were left out, and when the first of them was."""
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
