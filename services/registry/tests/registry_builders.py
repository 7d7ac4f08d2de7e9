"""Builders of commands, and ports that can kill or delay the process between any two calls."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from services.registry.tests.registry_fakes import MemoryClaims, MemoryContacts

from chassis.testing import MemoryDocuments, RecordingOutbox, in_memory
from contracts.topics import REGISTRY
from registry.domain.identifiers import Number
from registry.handlers import Order
from registry.libraries import rules
from registry.ports import Ports
from registry.requests import Description
from registry.store import ENTERPRISE
from values.references import CommandId

ALTYN = "KZ-BIN:190540000014"
TAUGE = "KZ-BIN:190540000540"
QINGDAO = "CN-USCC:91110000600037341L"
LEI = "LEI:213800KUD8LAJWSQ9D15"
RULES = rules()


def an_order(command_id: str = "c-1", actor: str = "staff:li") -> Order:
    return Order(CommandId(command_id), actor)


def a_description(*numbers: str, roles: tuple[str, ...] = ("importer",), **contact: str) -> Description:
    parted = (number.partition(":") for number in numbers or (ALTYN,))
    return Description(tuple(Number(scheme, value) for scheme, _, value in parted), roles, contact)


def country_of(description: Description) -> str:
    """The country of the first number; Kazakhstan if its scheme has none."""
    issuer, _, kind = description.numbers[0].scheme.partition("-")
    return issuer if kind else "KZ"


class Interrupted(BaseException):
    """Simulates a kill: no code under test catches it."""


class Watched:
    """A port that calls `step` before and after each of its methods."""

    def __init__(self, port: Any, step: Callable[[], Awaitable[None]]) -> None:
        self._port = port
        self._step = step

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*args: Any, **named: Any) -> Any:
            await self._step()
            answer = await method(*args, **named)
            await self._step()
            return answer

        return call


class World:
    """What outlives a process: the stores and the published events."""

    def __init__(self) -> None:
        self.documents = MemoryDocuments()
        self.claims = MemoryClaims()
        self.contacts = MemoryContacts()
        self.outbox = RecordingOutbox()

    def ports(self, step: Callable[[], Awaitable[None]] | None = None) -> Ports:
        """The ports of a new process over these stores."""

        def watched(port: Any) -> Any:
            return Watched(port, step) if step else port

        enterprises, _ = in_memory(ENTERPRISE, topic=REGISTRY, documents=watched(self.documents), outbox=self.outbox)
        return Ports(enterprises, watched(self.claims), watched(self.contacts), RULES)

    def holders(self, number: str) -> list[str]:
        """The enterprises that hold a number; there must never be more than one."""
        states = [document["state"] for document in self.documents.stored.values() if document["state"]]
        return [state["id"] for state in states if number in state["numbers"]]


def killed_after(calls: int) -> Callable[[], Awaitable[None]]:
    """A step that kills the process after this many calls."""
    left = calls

    async def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted

    return step


def dawdling(chance: random.Random, deadly: float = 0.0) -> Callable[[], Awaitable[None]]:
    """A step that yields to other tasks and, with chance `deadly`, kills the process."""

    async def step() -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < deadly:
            raise Interrupted

    return step
