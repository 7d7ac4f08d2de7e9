"""The files of one platform: all in one folder, except the cache of Kafka's jars."""

import fcntl
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from launcher.failures import LauncherError, explain

FREE_BYTES_WANTED = 500 * 1024 * 1024
"""Free space needed at the start: the journals of Kafka and the database are preallocated."""

TRIES = 10
"""How long to retry the lock: a query for its holder takes it in shared mode for a moment."""


def run_root() -> Path:
    """The folder of all platforms: `TRADE_RUN_DIR`, otherwise `.run` of this module's checkout."""
    given = os.environ.get("TRADE_RUN_DIR")
    if given:
        return Path(given).absolute()
    checkout = Path(__file__).resolve().parents[4]
    return (checkout if (checkout / "Makefile").exists() else Path.cwd()) / ".run"


def cache_root() -> Path:
    """The folder for files that can be fetched again: the user's XDG cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trade-platform"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside a platform's folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def description(self) -> Path:
        return self.folder / "platform.json"

    @property
    def kafka(self) -> Path:
        return self.folder / "kafka"

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def tracking_password(self) -> Path:
        return self.folder / "tracking.password"

    @property
    def mongo_url(self) -> Path:
        """The database's address, which may hold a password."""
        return self.folder / "mongo.url"

    @property
    def ports(self) -> Path:
        """The chosen ports; unlike the description, it is kept when the platform stops."""
        return self.folder / "ports.json"

    def progress(self, pid: int) -> Path:
        """The progress of the supervisor with this process id, shown by `up`."""
        return self.logs / f"progress-{pid}.log"

    @property
    def orders(self) -> Path:
        """The socket on which the supervisor accepts orders."""
        return self.folder / "orders"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def prepare(self) -> None:
        """Create the folders, readable only by their owner: mails and databases contain names and addresses.

        Raises:
            LauncherError: the disk is full or not writable.
        """
        try:
            for folder in (self.kafka, self.database, self.keys, self.mail, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            (self.folder / ".write-check").write_bytes(b"")
            (self.folder / ".write-check").unlink()
        except OSError as error:
            raise explain(error) from error
        free = shutil.disk_usage(self.folder).free
        if free < FREE_BYTES_WANTED:
            wanted = FREE_BYTES_WANTED // 2**20
            raise LauncherError(f"The disk is full: {self.folder} has {free // 2**20} MB left of {wanted} MB needed.")


class FolderLock:
    """One platform per folder: an advisory lock that the system releases when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; false if another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a")
        for _ in range(TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            self._file = file
            return True
        file.close()
        return False

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process id of the holder; None if nobody holds it."""
        try:
            with self._path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(file.read().strip() or 0)
        except (FileNotFoundError, ValueError):
            return None
        return None
