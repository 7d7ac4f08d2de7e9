"""A channel that follows its certificates: the client library's has those that it was created with, for its life."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import grpc

from chassis.rpc.certificates import Certificates, Shown

OLD_CALLS_SECONDS = 30.0
"""How long calls in progress may go on over the connections of replaced certificates."""

Build = Callable[[grpc.ChannelCredentials], grpc.aio.Channel]


class RenewedChannel(grpc.aio.Channel):
    """Replaces its inner channel when the certificates have changed; a stub need not know."""

    def __init__(self, build: Build, certificates: Certificates) -> None:
        self._build = build
        self._certificates = certificates
        self._shown = certificates.latest
        self._inner = build(self._shown.of_client())
        self._closing: set[asyncio.Task[None]] = set()

    def current(self) -> grpc.aio.Channel:
        """The channel for the next call."""
        shown: Shown = self._certificates.latest
        if shown is not self._shown:
            old, self._inner, self._shown = self._inner, self._build(shown.of_client()), shown
            closing = asyncio.get_running_loop().create_task(old.close(OLD_CALLS_SECONDS))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return self._inner

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        for each in tuple(self._closing):
            each.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self.current().channel_ready()

    def unary_unary(self, *arguments: Any, **options: Any) -> Any:
        return _Method(self, lambda channel: channel.unary_unary(*arguments, **options))

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:
        return _Method(self, lambda channel: channel.unary_stream(*arguments, **options))

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:
        return _Method(self, lambda channel: channel.stream_unary(*arguments, **options))

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:
        return _Method(self, lambda channel: channel.stream_stream(*arguments, **options))


class _Method:
    """One method of a stub, on the current channel."""

    def __init__(self, channel: RenewedChannel, of: Callable[[grpc.aio.Channel], Callable[..., Any]]) -> None:
        self._channel = channel
        self._of = of
        self._on: grpc.aio.Channel | None = None
        self._call: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        channel = self._channel.current()
        if self._call is None or channel is not self._on:
            self._on, self._call = channel, self._of(channel)
        return self._call(*arguments, **options)
