"""A TCP link with faults on demand: cut, refused, slowed, a black hole, or one lost answer.

Messages in a black hole are not lost: they arrive when the link is restored, as with TCP retransmission, even if the
sender has long given up. Messages in transit on a cut connection are lost.
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self

from chaos.harness.frames import Frame, Frames

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST, not FIN."""
_CHUNK = 65_536


class Way:
    """One direction of a link, of all its connections."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.delay_seconds = 0.0
        self.delayed = 0
        self.held = 0
        """Messages held by the black hole."""

    def hold(self) -> None:
        """Let nothing through."""
        self._open.clear()

    def free(self) -> None:
        """Let everything through, held messages first."""
        self._open.set()

    async def pass_through(self) -> None:
        """Wait for the delay of a message."""
        if not self._open.is_set():
            self.held += 1
            await self._open.wait()
        if self.delay_seconds:
            self.delayed += 1
            await asyncio.sleep(self.delay_seconds)


class Link:
    """A separate port in front of one server."""

    def __init__(self, frames: Callable[["Link"], Frames], to: str = "") -> None:
        self.to = to
        """host:port of the server."""
        self.port = 0
        self.requests = Way()
        self.answers = Way()
        self.seen: Counter[str] = Counter()
        """Answers that passed, by the name of their request."""
        self.cuts = 0
        """Connections that were cut, except those of lost answers."""
        self.refused = 0
        """Connections that were refused."""
        self.lost: list[str] = []
        """Names of the answers that were lost."""
        self._frames = frames
        self._to_lose: set[str] = set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._live: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._live)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection; accept new ones."""
        for writers in list(self._live.values()):
            self.cuts += 1
            _reset(*writers)

    def refuse(self) -> None:
        """Reset every connection, and each new one at once, like a server that is down."""
        self._refusing = True
        self.cut()

    def accept(self) -> None:
        """Accept connections again."""
        self._refusing = False

    def black_hole(self, *, requests: bool = True, answers: bool = True) -> None:
        """Let nothing through in both directions, or in one."""
        if requests:
            self.requests.hold()
        if answers:
            self.answers.hold()

    def heal(self) -> None:
        """End refusing, delays and black holes."""
        self.accept()
        for way in (self.requests, self.answers):
            way.delay_seconds = 0.0
            way.free()

    def lose_answer(self, *names: str) -> None:
        """Lose the next answer to one of these, and cut its connection there: the request has arrived."""
        self._to_lose = set(names)

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._live[task] = (writer,)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if self._refusing:
                self.refused += 1
                raise ConnectionRefusedError
            host, _, port = self.to.rpartition(":")
            server_reader, server = await asyncio.open_connection(host, int(port))
            self._live[task] = (writer, server)
            frames = self._frames(self)
            await _first_to_end(
                self._pump(reader, server, frames.requests, self.requests),
                self._pump(server_reader, writer, frames.answers, self.answers, robbed=True),
            )
        except OSError:
            _reset(*self._live[task])  # the server is or went down, and so does the link
        finally:
            for each in self._live.pop(task):
                each.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: Callable[[bytes], Iterator[Frame]],
        way: Way,
        *,
        robbed: bool = False,
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            for frame in cut(chunk):
                await way.pass_through()
                if robbed and frame.name in self._to_lose:
                    self._to_lose = set()
                    self.lost.append(frame.name)
                    raise ConnectionResetError
                if robbed:
                    self.seen[frame.name] += 1
                writer.write(frame.data)
                await writer.drain()
        await way.pass_through()


async def _first_to_end(*pumps: Coroutine[Any, Any, None]) -> None:
    """Run both directions until one ends; the end of one is the end of the connection."""
    tasks = [asyncio.create_task(pump) for pump in pumps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reset(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        with contextlib.suppress(OSError):
            connection = writer.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
