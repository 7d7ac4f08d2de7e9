"""Time limits of a connection to the HTTP door.

uvicorn closes only connections that idle between two requests. Here every phase of a connection has a time limit:
the head of a request, however slowly its bytes arrive; the end of the answer, even if the client does not read it; and
the closing itself.
"""

import asyncio
from typing import Any, Protocol, cast

import h11
from prometheus_client import Counter
from uvicorn.protocols.http.h11_impl import H11Protocol

CUT = Counter(
    "trade_http_connections_cut_total",
    "Connections that the HTTP door closed: silent (no request came), head (a request's head was incomplete), "
    "answer (not read in time). Many of one kind: a slow network, or a client that holds connections open.",
    ["why"],
)

GRACE_SECONDS = 5.0
"""How long a closing connection may take to send its remaining data."""


class Limits(Protocol):
    """Our additions to uvicorn's configuration."""

    head_seconds: float
    answer_seconds: float


class WatchedConnection(H11Protocol):
    """uvicorn's connection with time limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = cast("Limits", self.config)
        self._clock: asyncio.TimerHandle | None = None
        self._waits_for_head = False
        self._watched: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_hand and not self._waits_for_head:
            self._await_head()
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if self._in_hand and self.cycle is not self._watched:
            self._watched = self.cycle
            self._waits_for_head = False
            # The application's own limit ends earlier; this one is for an answer that the client does not read.
            self._watch(self._limits.answer_seconds + GRACE_SECONDS)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_hand:  # a pipelined request
            return
        if self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._watch(self.timeout_keep_alive + GRACE_SECONDS)

    @property
    def _in_hand(self) -> bool:
        """Whether the application is handling a request."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._waits_for_head = True
        self._watch(self._limits.head_seconds)

    def _watch(self, seconds: float | None) -> None:
        """Set the time limit, replacing the previous one."""
        if self._clock is not None:
            self._clock.cancel()
        self._clock = None if seconds is None else self.loop.call_later(seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        if self.transport.is_closing() or self._in_hand:
            CUT.labels("answer").inc()
            self.transport.abort()
            return
        begun = bool(self.conn.trailing_data[0])
        CUT.labels("head" if begun else "silent").inc()
        if begun and self.conn.our_state is h11.IDLE:
            self._answer_late_head()
        self.transport.close()
        self._watch(GRACE_SECONDS)

    def _answer_late_head(self) -> None:
        """Answer 408 to a client that has begun a request."""
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        for event in (h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
