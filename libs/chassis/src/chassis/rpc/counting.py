"""Metrics of a gRPC door: calls counted and timed by method and code, and calls in progress."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import grpc
from prometheus_client import Gauge, Histogram

from chassis.telemetry import metrics

UNKNOWN: Final = "unknown"
"""The method label of a call for an unknown method, so that callers cannot create labels."""


@contextlib.contextmanager
def counted(door: str, method: str, context: "grpc.aio.ServicerContext[Any, Any]") -> Iterator[None]:
    """Count the call handled inside this context. `method` must be a served one."""
    in_hand, began = _in_hand(door, method), time.perf_counter()
    in_hand.inc()
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        in_hand.dec()
        _seconds(door, method, code_name(context.code(), error)).observe(time.perf_counter() - began)


def count_unknown(door: str) -> None:
    """Count a call for an unknown method."""
    _seconds(door, UNKNOWN, grpc.StatusCode.UNIMPLEMENTED.name).observe(0)


def code_name(code: Any, error: BaseException | None) -> str:
    """The final code of a call: from its context, otherwise from the error it raised."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    if isinstance(code, int) and code:
        return next((each.name for each in grpc.StatusCode if each.value[0] == code), "UNKNOWN")
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CANCELLED"
    return "OK" if error is None else "UNKNOWN"


@lru_cache(256)
def _in_hand(door: str, method: str) -> Gauge:
    return metrics.GRPC_IN_HAND.labels(door, method)


@lru_cache(1024)
def _seconds(door: str, method: str, code: str) -> Histogram:
    return metrics.GRPC_SECONDS.labels(door, method, code)
