"""Plays the demonstration through the public doors and watches it in tracking.

There are no fixed waits: each move answers what tracking says the shipment waits for, so the story continues wherever
a killed service left it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from trade_cli.demo_facts import Facts
from trade_cli.doors import Doors
from trade_cli.partner_moves import MOVES, event, money_of
from trade_cli.platform import CliError
from trade_cli.trace import behind_the_scenes, closed, unseen
from trade_cli.tracking_client import TrackingClient, View

LOOK_SECONDS = 0.15
STORY_SECONDS = 120.0
RELEASED = "trade.declarations.declaration.released.v1"
_FINAL = ("sent", "given_up")

Show = Callable[[Mapping[str, Any]], None]
OnProgress = Callable[[View], Awaitable[None]]


@dataclass
class Story:
    """One run of the demonstration."""

    facts: Facts
    keys: Mapping[str, str]
    doors: Doors
    tracking: TrackingClient
    show: Show
    on_progress: OnProgress
    view: View = field(default_factory=lambda: {"steps": [], "situations": [], "notices": []})
    match: View = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    async def play(self) -> bool:
        """Lodge, answer what the shipment waits for until it closes, and see the match; return whether both happened.

        Raises:
            CliError: a door refuses, or there was no progress for too long.
        """
        receipt = await self.doors.lodge(self.keys[self.facts.declarant], self.facts.declaration)
        ucr = str(receipt["ucr"])
        await asyncio.gather(self._submit_listings(), self._until_closed(ucr))
        await self._until(lambda: self._told_everybody(ucr), "every notice to be sent")
        await self._until(self._matched, "the match")
        return closed(self.view)

    async def _submit_listings(self) -> None:
        project, mandate = self.facts.project, self.facts.mandate
        await self.doors.submit_project(self.keys[project.firm], project.terms)
        await self.doors.submit_mandate(self.keys[mandate.firm], mandate.terms)

    async def _until_closed(self, ucr: str) -> None:
        await self._until(lambda: self._step(ucr), "the shipment to close")

    async def _step(self, ucr: str) -> bool:
        """Read the timeline once, show new steps, and answer what the shipment waits for."""
        await self._look(ucr)
        await self.on_progress(self.view)
        for situation in self.view["situations"]:
            if situation["where"] == "rejected":
                raise CliError(f"the declaration was rejected: {'; '.join(situation['failed'])}")
            await self._answer(ucr, situation["waiting_for"])
        return closed(self.view)

    async def _answer(self, ucr: str, waiting_for: str) -> None:
        if waiting_for not in MOVES or waiting_for in self._told:
            return
        duty = self.view["duties"][-1] if self.view["duties"] else None
        due, pays = (money_of(duty["total"]), duty["payment_reference"]) if duty else (None, None)
        said = event(ucr, waiting_for, now=datetime.now(UTC), due=due, pays=pays)
        await self.doors.tell(self.keys[MOVES[waiting_for].partner], said)
        self._told.add(waiting_for)

    async def _told_everybody(self, ucr: str) -> bool:
        """Whether every notice is complete, and a mail about the release was sent in each language."""
        await self._look(ucr)
        notices = self.view["notices"]
        released = {each["id"] for each in self.view["steps"] if each["type"] == RELEASED}
        told = {
            each["language"]
            for each in notices
            if each["source_event_id"] in released and each["channel"] == "email" and each["state"] == "sent"
        }
        return told >= self.facts.languages and all(each["state"] in _FINAL for each in notices)

    async def _matched(self) -> bool:
        for thread in await self.tracking.search(self.facts.project.reference):
            view = await self.tracking.shipment(thread, spans=False)
            if any(each["reasons"] and not each["withdrawn"] for each in view.get("matches", ())):
                self.match = view
                return True
        return False

    async def _look(self, ucr: str) -> None:
        self.view = await self.tracking.shipment(ucr, spans=False)
        for step in unseen(self.view, self._seen):
            if not behind_the_scenes(step):
                self.show(step)

    async def _until(self, done: Callable[[], Awaitable[bool]], what: str) -> None:
        """Poll until done; keep polling while tracking is unavailable."""
        deadline = time.monotonic() + STORY_SECONDS
        while True:
            try:
                if await done():
                    return
            except httpx2.TransportError:
                pass  # tracking was killed, and comes back with its data
            if time.monotonic() > deadline:
                raise CliError(f"waited {STORY_SECONDS:.0f} s for {what}, which did not come; {self._where()}")
            await asyncio.sleep(LOOK_SECONDS)

    def _where(self) -> str:
        waits = [f"{each['where']}, waiting for {each['waiting_for']}" for each in self.view["situations"]]
        return "it is at: " + ("; ".join(waits) or "no event yet")
