"""An SMTP server that stores every mail as a file: the platform's mail server in development.

Usage: python -m launcher.mail PORT FOLDER [HOST]

A mail is acknowledged once its `.eml` file is completely on disk; names sort by time of arrival. Only the latest mails
are kept, as weeks of load would fill the disk.
"""

import asyncio
import itertools
import signal
import sys
import time
from collections import deque
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_BYTES = 10 * 1024 * 1024
KEPT = 100_000
"""Number of mails kept; about 400 MB of the platform's mails."""


class Sink:
    """Stores mails in a folder, with the envelope's recipients in an extra header."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._kept = deque(sorted(each.name for each in folder.glob("[!.]*.eml")))
        """Names, oldest first."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content or b""
        body = content if isinstance(content, bytes) else content.encode()
        name = f"{time.time_ns()}-{next(self._numbers):06d}.eml"
        draft = self._folder / f".{name}"
        draft.write_bytes(b"X-Envelope-To: " + ", ".join(envelope.rcpt_tos).encode() + b"\r\n" + body)
        draft.rename(self._folder / name)
        self._kept.append(name)
        while len(self._kept) > KEPT:
            (self._folder / self._kept.popleft()).unlink(missing_ok=True)
        return "250 kept"


async def serve(port: int, folder: Path, host: str = "127.0.0.1") -> None:
    """Receive into an existing folder until SIGTERM."""
    loop = asyncio.get_running_loop()
    sink, stopped = Sink(folder), asyncio.Event()
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="localhost"), host, port
    )
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    async with server:
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4]))
