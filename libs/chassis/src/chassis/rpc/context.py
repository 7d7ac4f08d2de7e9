"""What is known during a call: who makes it, which service answers, and when it must be done."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.rpc.identity import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """One call while it is handled."""

    service: str
    """Whose method is called; the domain of its errors."""
    caller: Caller | None
    """None where the method is open to anyone."""
    ends_at: float
    """By the monotonic clock."""


_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextlib.contextmanager
def handling(call: Call) -> Iterator[None]:
    """Make `call` the current one."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def current_call() -> Call | None:
    return _current.get()


def current_caller() -> Caller:
    """Who calls the method that runs.

    Raises:
        LookupError: no authenticated call is being handled.
    """
    call = _current.get()
    if call is None or call.caller is None:
        raise LookupError("no authenticated call is being handled")
    return call.caller


def deadline_left() -> float | None:
    """Seconds until the current call must be done; None outside of calls."""
    call = _current.get()
    return None if call is None else max(0.0, call.ends_at - time.monotonic())
