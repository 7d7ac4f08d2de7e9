"""One number, one enterprise: a claim per number, taken before the enterprise is saved.

A claim is a document with the number as its id, so it is unique in any database, sharded or not. It
names the enterprise and the commands that claimed the number and may still be running.
The enterprise document says which numbers the enterprise holds. A claim on a number that its
enterprise does not hold was left by an interrupted command, and another enterprise may take it over.
First every pending command of that claim is abandoned: `Abandon` records the command's id in its
enterprise's history, by the same compare-and-set that the command itself would need. Exactly one of
the two succeeds, without relying on clocks. The taker first waits a few rounds, because most pending
commands complete by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from chassis.aggregates import Aggregates, Failed, Input
from chassis.failures import InfrastructureError
from registry.domain.enterprise import Abandon, Command, Enterprise, Event
from registry.rounds import ROUNDS, rounds

Enterprises: TypeAlias = Aggregates[Enterprise, Command, Event]

ABANDONED = "abandoned"
"""Content hash of an abandoned command: if the command itself arrives later, it is a conflict."""


PATIENT_ROUNDS = 6
"""Rounds to wait for a pending command to complete; after them it is abandoned."""


@dataclass(frozen=True, slots=True)
class Claim:
    number: str
    """`SCHEME:VALUE`; the document's id."""
    enterprise_id: str
    commands: tuple[str, ...]
    """Ids of that enterprise's commands that claimed the number and have not completed."""
    version: int = 1


class Claims(Protocol):
    async def load(self, numbers: Sequence[str]) -> dict[str, Claim]:
        """The stored claims of these numbers, in one round trip."""
        ...

    async def insert(self, claim: Claim) -> bool:
        """Store a claim; False if the number already has one."""
        ...

    async def replace(self, claim: Claim, expected_version: int) -> bool:
        """Compare-and-set; False if the claim was changed concurrently."""
        ...


class NumberTaken(Exception):
    """The number is held by another enterprise."""

    def __init__(self, number: str, holder: str) -> None:
        super().__init__(f"{number} belongs to {holder}")
        self.number = number
        self.holder = holder


class CommandAbandoned(Exception):
    """Another enterprise's command took over a number and abandoned this command: it can never be applied."""


async def claim(
    claims: Claims, enterprises: Enterprises, numbers: Sequence[str], enterprise_id: str, command_id: str, actor: str
) -> None:
    """Claim numbers for an enterprise on behalf of a command; harmless to repeat.

    Raises:
        NumberTaken: another enterprise holds one of them.
        CommandAbandoned: the command lost a number it had claimed. It must not claim the number again:
            otherwise competing commands could abandon each other forever.
    """
    had = set[str]()
    async for round_ in rounds():
        stored = await claims.load(numbers)
        ours = {number for number in numbers if _is_ours(stored.get(number), enterprise_id, command_id)}
        if not had <= ours:
            raise CommandAbandoned(command_id)
        had |= ours
        if len(ours) == len(set(numbers)):
            return await _refuse_held(enterprises, numbers, enterprise_id)
        for number in (each for each in numbers if each not in ours):
            wanted = Claim(number, enterprise_id, (command_id,))
            present = stored.get(number)
            if present is None:
                await claims.insert(wanted)
            elif present.enterprise_id == enterprise_id:
                together = (*present.commands, command_id)
                await claims.replace(replace(present, commands=together, version=present.version + 1), present.version)
            elif await _is_free(enterprises, present, actor, wait=round_ < PATIENT_ROUNDS):
                await claims.replace(replace(wanted, version=present.version + 1), present.version)
    raise InfrastructureError(f"the claims of {enterprise_id} were changed concurrently in {ROUNDS} rounds")


async def settle(claims: Claims, numbers: Sequence[str], enterprise_id: str, command_id: str) -> None:
    """Remove a completed command from its claims. Missing this is harmless: abandoning it later has no effect."""
    for present in (await claims.load(numbers)).values():
        if _is_ours(present, enterprise_id, command_id):
            rest = tuple(each for each in present.commands if each != command_id)
            await claims.replace(replace(present, commands=rest, version=present.version + 1), present.version)


def _is_ours(present: Claim | None, enterprise_id: str, command_id: str) -> bool:
    return present is not None and present.enterprise_id == enterprise_id and command_id in present.commands


async def _is_free(enterprises: Enterprises, present: Claim, actor: str, *, wait: bool) -> bool:
    """Whether the claimed number may be taken over: False means that its pending commands are to be waited for.

    Without `wait`, the pending commands are abandoned.

    Raises:
        NumberTaken: the claim's enterprise holds the number.
    """
    await _refuse_holder(enterprises, present)
    if present.commands and wait:
        return False
    outcomes = await enterprises.apply(
        [
            Input(present.enterprise_id, cause=command, command=Abandon(), actor=actor, hash=ABANDONED)
            for command in present.commands
        ]
    )
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    await _refuse_holder(enterprises, present)
    return True


async def _refuse_holder(enterprises: Enterprises, present: Claim) -> None:
    holder = await enterprises.get(present.enterprise_id)
    if holder is not None and present.number in holder.numbers:
        raise NumberTaken(present.number, holder.id)


async def _refuse_held(enterprises: Enterprises, numbers: Sequence[str], enterprise_id: str) -> None:
    """Refuse numbers that another enterprise holds, even if its claims were lost with their database."""
    for holder in await enterprises.find({"state.numbers": {"$in": list(numbers)}}):
        if holder.id != enterprise_id:
            raise NumberTaken(next(number for number in numbers if number in holder.numbers), holder.id)
