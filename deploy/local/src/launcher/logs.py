"""What a process writes, kept in a file that does not grow without end: `x.log`, and `x.log.1` (newest) to `x.log.4`.

The launcher reads the process's output from a pipe and alone has the file open, so it can put a new one in its place
between two lines while the process runs, whatever the process is: a service, the broker's Java machine, the embedded
database, a crash's last words. A process that opened the file itself would go on writing into the one put away.
What is in the pipe when the launcher is killed, a twentieth of a second of it, is lost with it.
"""

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 32 * 1024 * 1024
"""Of one file; it ends with the line that reaches it."""
KEPT = 4
"""How many older files stay."""

GATHER_SECONDS = 0.05
"""Between two looks into the pipe: a busy process writes thousands of lines a second, each is not worth a look."""
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
        with contextlib.suppress(OSError):  # more than this user may have: a smaller one does
            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._reader = threading.Thread(target=self._keep, args=(source, file), name=f"log {self.path.name}")
        self._reader.daemon = True  # the launcher's end does not wait for it
        self._reader.start()
        return sink

    @property
    def ended(self) -> bool:
        """Whether all that was written is in the file."""
        return self._reader is None or not self._reader.is_alive()

    def _keep(self, source: int, file: BinaryIO) -> None:
        missed = 0
        while chunk := os.read(source, _PIPE_BYTES):
            # Whatever the disk says, the pipe is read on: the process would stand still.
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
        """Write a chunk, and go on in a new file behind the line that fills this one; the file to go on in."""
        lines = chunk.rfind(b"\n") + 1
        file.write(chunk[:lines])
        if file.tell() >= MAX_BYTES and lines:
            put_away(self.path)
            full, file = file, self.path.open("ab", buffering=0)
            full.close()
        file.write(chunk[lines:])
        return file


def put_away(path: Path) -> None:
    """Make room for a new file under a log's name: every older one moves on, the oldest goes."""
    for number in range(KEPT, 0, -1):
        newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        with contextlib.suppress(FileNotFoundError):
            newer.rename(path.with_name(f"{path.name}.{number}"))
