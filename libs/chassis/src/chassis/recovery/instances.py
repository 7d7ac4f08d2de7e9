"""A replica's name belongs to one process at a time: the one that started last.

To Kafka, two processes with one instance name are one static member, and each would evict the other for ever. So each
process registers in the database when it starts. One that finds itself replaced (a second start, or a freeze during
which it was replaced) leaves the group and reports it.
"""

import secrets

import structlog

from chassis.clock import Clock
from chassis.failures import is_infrastructure
from chassis.mongo import Database

INTERVAL_SECONDS = 15.0

_COLLECTION = "instances"

log = structlog.get_logger(__name__)


class InstanceName:
    """A process's claim to its instance name."""

    def __init__(self, db: Database, name: str, clock: Clock) -> None:
        self._instances = db[_COLLECTION]
        self._name = name
        self._clock = clock
        self._process = secrets.token_hex(8)
        self.lost: str | None = None
        """Why the name is lost, once another process has it."""

    async def take(self) -> None:
        """Register the name for this process."""
        note = {"process": self._process, "since": self._clock.now()}
        await self._instances.update_one({"_id": self._name}, {"$set": note}, upsert=True)

    async def until_lost(self) -> None:
        """Wait until another process has the name; an unavailable database proves nothing."""
        while self.lost is None:
            await self._clock.sleep(INTERVAL_SECONDS)
            try:
                await self._look()
            except Exception as error:
                if not is_infrastructure(error):
                    raise

    async def _look(self) -> None:
        found = await self._instances.find_one({"_id": self._name})
        if found is None:
            await self.take()  # the database was emptied meanwhile
        elif found["process"] != self._process:
            since = found["since"].isoformat(timespec="seconds")
            self.lost = (
                f"another process has taken the instance name {self._name} since {since}: give each replica its own"
            )
            log.error("instance_name_taken", name=self._name, since=since)
