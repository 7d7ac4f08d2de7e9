"""The context of a call: its caller, the service that answers, and its deadline."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.rpc.identity import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """One call in progress."""

    service: str
    """The service called; also the domain of its errors."""
    caller: Caller | None
    """None if the method is open to anyone."""
    ends_at: float
    """By the monotonic clock."""


_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextlib.contextmanager
def handling(call: Call) -> Iterator[None]:
    """Make `call` the current call."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def current_call() -> Call | None:
    return _current.get()


def current_caller() -> Caller:
    """The caller of the current call.

    Raises:
        LookupError: no authenticated call is being handled.
    """
    call = _current.get()
    if call is None or call.caller is None:
        raise LookupError("no authenticated call is being handled")
    return call.caller


def deadline_left() -> float | None:
    """Seconds until the current call's deadline; None outside of calls."""
    call = _current.get()
    return None if call is None else max(0.0, call.ends_at - time.monotonic())
