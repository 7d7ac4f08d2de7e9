"""A separate embedded server without the platform: started on an empty folder, killed at the end."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from launcher.database import ProcessDatabase
from launcher.ports import PortBlock


@asynccontextmanager
async def lone_server(program: Sequence[str], *options: str) -> AsyncIterator[ProcessDatabase]:
    """Start the server with a program and options."""
    block = PortBlock()
    with tempfile.TemporaryDirectory(prefix="trade-lone-server-") as folder:
        port = block.choose(["database"], {})["database"]
        command = [*program, "--port", str(port), "--storage-path", folder, *options]
        log = Path(folder) / "database.log"
        server = ProcessDatabase("secantusdb", command, port=port, log=log, stop_seconds=5.0)
        await server.start(lambda _: None)
        try:
            yield server
        finally:
            await server.kill()
            block.release()
