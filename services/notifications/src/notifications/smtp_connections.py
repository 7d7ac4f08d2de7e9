"""Connections to the mail server, reused for further mails, because opening one costs more than sending a mail.

Invariant: a connection with an error or an abandoned mail is closed, so that the next mail starts on a clean one.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosmtplib

from notifications.settings import SmtpSettings

IDLE_SECONDS = 5.0
"""How long an idle connection is kept; servers wait for minutes (RFC 5321, 4.5.3.2.7)."""
FRESH_SECONDS = 1.0
"""A connection idle for longer is checked before it is used."""
MAILS = 100
"""Maximum number of mails per connection, so that a load balancer can distribute connections."""


@dataclass(slots=True)
class _Idle:
    client: aiosmtplib.SMTP
    mails: int
    since: float


class Connections:
    """The connections of one process; as many as there are mails being sent."""

    def __init__(self, settings: SmtpSettings, timeout_seconds: float) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._tls = ssl.create_default_context(cafile=settings.ca_file) if settings.starttls else None
        self._idle: list[_Idle] = []
        """Idle connections, the longest idle first."""
        self._closing: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def one(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Lend a connection for one mail.

        Raises:
            aiosmtplib.SMTPException, OSError: no connection could be opened.
        """
        client, mails = await self._kept() or (await self._opened(), 0)
        try:
            yield client
        except BaseException:
            # No QUIT: a server that hangs here must not cause another attempt.
            client.close()
            raise
        self._keep(client, mails + 1)

    async def _kept(self) -> tuple[aiosmtplib.SMTP, int] | None:
        """The open connection used last, so that the surplus connections of a backlog become idle and are closed."""
        while self._idle:
            idle = self._idle.pop()
            if idle.client.is_connected and await self._is_there(idle):
                return idle.client, idle.mails
            idle.client.close()
        return None

    async def _is_there(self, idle: _Idle) -> bool:
        if asyncio.get_running_loop().time() - idle.since < FRESH_SECONDS:
            return True
        try:
            await idle.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        except BaseException:
            idle.client.close()
            raise
        return True

    async def _opened(self) -> aiosmtplib.SMTP:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.get_secret_value() or None,
            start_tls=settings.starttls,
            tls_context=self._tls,
            timeout=self._timeout_seconds,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    def _keep(self, client: aiosmtplib.SMTP, mails: int) -> None:
        if mails >= MAILS or not client.is_connected:
            client.close()
            return
        loop = asyncio.get_running_loop()
        self._idle.append(_Idle(client, mails, loop.time()))
        if self._closing is None:
            self._closing = loop.call_later(IDLE_SECONDS, self._close_rested)

    def _close_rested(self) -> None:
        loop = asyncio.get_running_loop()
        self._closing = None
        while self._idle and loop.time() - self._idle[0].since >= IDLE_SECONDS:
            self._idle.pop(0).client.close()
        if self._idle:
            self._closing = loop.call_at(self._idle[0].since + IDLE_SECONDS, self._close_rested)
