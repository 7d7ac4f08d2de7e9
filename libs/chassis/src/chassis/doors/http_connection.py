"""A connection of the HTTP door: what its other end may keep us waiting for, and how long.

uvicorn ends a connection that idles between two requests, and no other. Here one clock runs on every
connection from its first moment to its last: for the head of a request, however slowly its bytes come;
for the end of the answer, also where nobody reads it; and for the closing itself.
"""

import asyncio
from typing import Any, Protocol, cast

import h11
from prometheus_client import Counter
from uvicorn.protocols.http.h11_impl import H11Protocol

CUT = Counter(
    "trade_http_connections_cut_total",
    "Connections that the HTTP door ended: silent (no request came), head (a request's head did not come whole), "
    "answer (it was not taken in time). Many of one kind: a slow network, or somebody who holds connections.",
    ["why"],
)

GRACE_SECONDS = 5.0
"""How long a closing connection may take to bring away what it still holds."""


class Limits(Protocol):
    """What the server's configuration says beside uvicorn's own."""

    head_seconds: float
    answer_seconds: float


class WatchedConnection(H11Protocol):
    """uvicorn's connection under a clock."""

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
            # The application's answer is late before: this is for one that nobody takes.
            self._watch(self._limits.answer_seconds + GRACE_SECONDS)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_hand:  # a request that had come behind the one just answered
            return
        if self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._watch(self.timeout_keep_alive + GRACE_SECONDS)

    @property
    def _in_hand(self) -> bool:
        """Whether a request is with the application."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._waits_for_head = True
        self._watch(self._limits.head_seconds)

    def _watch(self, seconds: float | None) -> None:
        """Set the clock, in place of what it was set to."""
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
        """Say why the connection ends, to somebody who has begun to ask."""
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        for event in (h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
