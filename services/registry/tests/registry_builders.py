"""Builders of commands, and ports that break off or dawdle between any two steps."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from chassis.aggregates import MemoryDocuments
from chassis.testing import RecordingOutbox, in_memory
from contracts.topics import REGISTRY
from registry.domain.identifiers import Number
from registry.handlers import Order
from registry.libraries import rules
from registry.memory import MemoryClaims, MemoryContacts
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
    """The country that the first number is of; Kazakhstan where it is of none."""
    issuer, _, kind = description.numbers[0].scheme.partition("-")
    return issuer if kind else "KZ"


class Interrupted(BaseException):
    """The process was killed here: nothing of it catches that."""


class Watched:
    """A port whose every call goes through `step`, before and after."""

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
    """What survives a process: the stores, and what was published."""

    def __init__(self) -> None:
        self.documents = MemoryDocuments()
        self.claims = MemoryClaims()
        self.contacts = MemoryContacts()
        self.outbox = RecordingOutbox()

    def ports(self, step: Callable[[], Awaitable[None]] | None = None) -> Ports:
        """A process over these stores."""

        def watched(port: Any) -> Any:
            return Watched(port, step) if step else port

        enterprises, _ = in_memory(ENTERPRISE, topic=REGISTRY, documents=watched(self.documents), outbox=self.outbox)
        return Ports(enterprises, watched(self.claims), watched(self.contacts), RULES)

    def holders(self, number: str) -> list[str]:
        """Who holds a number; more than one is what must never be."""
        states = [document["state"] for document in self.documents.stored.values() if document["state"]]
        return [state["id"] for state in states if number in state["numbers"]]


def killed_after(calls: int) -> Callable[[], Awaitable[None]]:
    """A step that ends the process after so many steps."""
    left = calls

    async def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted

    return step


def dawdling(chance: random.Random, deadly: float = 0.0) -> Callable[[], Awaitable[None]]:
    """A step that lets others run in between, and sometimes ends the process."""

    async def step() -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < deadly:
            raise Interrupted

    return step
