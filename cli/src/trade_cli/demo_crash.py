"""Kills every service once during the demonstration, and restarts it at once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from contracts.topics import SERVICES
from trade_cli.tracking_client import View

_AT_WORK: Mapping[str, tuple[str, ...]] = {
    "gateway.declaration.submitted": ("registry", "declarations"),
    "declarations.declaration.accepted": ("gateway", "notifications"),
    "declarations.declaration.released": ("tracking",),
}
"""Services that are killed while the shipment is in progress."""

PLAN: Mapping[str, tuple[str, ...]] = {
    **_AT_WORK,
    "declarations.declaration.assessed": tuple(
        name for name in SERVICES if not any(name in names for names in _AT_WORK.values())
    ),
}
"""The event after which services are killed, each once."""


class Killable(Protocol):
    """The part of the launched platform that is broken on purpose."""

    async def kill(self, service: str) -> None: ...

    async def restart(self, service: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL."""

    service: str
    after: str
    at: datetime
    back_after_seconds: float


@dataclass
class Crashes:
    """Carries out the plan; `kills` records what was killed."""

    platform: Killable
    kills: list[Kill] = field(default_factory=list)
    _killed: set[str] = field(default_factory=set)
    _returning: list["asyncio.Task[None]"] = field(default_factory=list)

    async def on_progress(self, view: View) -> None:
        """Kill the services due after the events seen so far; they restart while the story goes on."""
        seen = {step["type"].removeprefix("trade.").rpartition(".")[0] for step in view["steps"]}
        for after, services in PLAN.items():
            for service in services if after in seen else ():
                if service not in self._killed:
                    self._killed.add(service)
                    await self.platform.kill(service)
                    at = datetime.now(UTC)
                    self._returning.append(asyncio.create_task(self._bring_back(service, after, at)))

    async def _bring_back(self, service: str, after: str, at: datetime) -> None:
        await self.platform.restart(service)
        self.kills.append(Kill(service, after, at, (datetime.now(UTC) - at).total_seconds()))

    async def all_back(self) -> None:
        """Wait until every killed service is ready again.

        Raises:
            launcher.failures.LauncherError: one does not come back.
        """
        await asyncio.gather(*self._returning)

    async def give_up(self) -> None:
        """Stop bringing services back: the platform is being stopped."""
        for task in self._returning:
            task.cancel()
        await asyncio.gather(*self._returning, return_exceptions=True)
