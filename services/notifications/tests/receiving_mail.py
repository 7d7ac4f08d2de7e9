"""A real receiving SMTP server with configurable replies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Inboxes:
    """The accepted mails and the configured replies of the server."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer_rcpt: dict[str, str] = field(default_factory=dict)
    """Recipient → reply."""
    answer_data: str = "250 kept"
    greeted: int = 0
    """Number of connections that sent EHLO."""
    transports: list[asyncio.WriteTransport] = field(default_factory=list)
    silent_domains: set[str] = field(default_factory=set)
    """Recipient domains that never get a reply."""

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greeted += 1
        if isinstance(server.transport, asyncio.WriteTransport):
            self.transports.append(server.transport)
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.rpartition("@")[2] in self.silent_domains:
            await asyncio.Event().wait()
        if address in self.answer_rcpt:
            return self.answer_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.answer_data.startswith("250"):
            content = cast(bytes, envelope.content)
            self.taken.append(message_from_bytes(content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        return self.answer_data


@asynccontextmanager
async def receiving() -> AsyncIterator[Inboxes]:
    """Run the server on a free port."""
    sink = Inboxes()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="localhost"), "127.0.0.1", 0)
    async with server:
        sink.port = server.sockets[0].getsockname()[1]
        yield sink
