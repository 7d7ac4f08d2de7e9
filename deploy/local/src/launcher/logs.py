"""Bounded logs of processes: the file `x.log`, rotated to `x.log.1` (newest) to `x.log.4`.

The launcher reads the process's output from a pipe and is the only one to open the file, so it can rotate between two
lines while the process runs, for any kind of process: a service, the broker's JVM, the embedded database, the output
of a crash. A process that opened the file itself would keep writing to the rotated one.
If the launcher is killed, the last twentieth of a second of output, still in the pipe, is lost.
"""

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 32 * 1024 * 1024
"""Size of one file; it ends with the line that reaches it."""
KEPT = 4
"""How many older files are kept."""

GATHER_SECONDS = 0.05
"""Pause between two reads of the pipe: a busy process writes thousands of lines per second, and is read in chunks."""
_PIPE_BYTES = 1024 * 1024


class BoundedLog:
    """The log of one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: threading.Thread | None = None

    def open(self) -> int:
        """A file descriptor to write to; the log ends when its last copy is closed.

        Raises:
            OSError: the file cannot be opened.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("ab", buffering=0)
        source, sink = os.pipe()
        with contextlib.suppress(OSError):  # over this user's limit: a smaller pipe will do
            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._reader = threading.Thread(target=self._keep, args=(source, file), name=f"log {self.path.name}")
        self._reader.daemon = True  # do not delay the launcher's exit
        self._reader.start()
        return sink

    @property
    def ended(self) -> bool:
        """Whether all output is in the file."""
        return self._reader is None or not self._reader.is_alive()

    def _keep(self, source: int, file: BinaryIO) -> None:
        missed = 0
        while chunk := os.read(source, _PIPE_BYTES):
            # Keep reading even if the disk fails: a full pipe would block the process.
            try:
                if missed:
                    file.write(b"(%d bytes could not be written here)\n" % missed)
                    missed = 0
                file = self._add(chunk, file)
            except OSError:
                missed += len(chunk)
            time.sleep(GATHER_SECONDS)
        os.close(source)
        file.close()

    def _add(self, chunk: bytes, file: BinaryIO) -> BinaryIO:
        """Write a chunk, rotating after the line that fills the file; return the file to continue with."""
        lines = chunk.rfind(b"\n") + 1
        file.write(chunk[:lines])
        if file.tell() >= MAX_BYTES and lines:
            put_away(self.path)
            full, file = file, self.path.open("ab", buffering=0)
            full.close()
        file.write(chunk[lines:])
        return file


def put_away(path: Path) -> None:
    """Rotate a log's files: each is renamed to the next number, the oldest is deleted."""
    for number in range(KEPT, 0, -1):
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        with contextlib.suppress(FileNotFoundError):
            newer.rename(path.with_name(f"{path.name}.{number}"))
