"""One number, one enterprise: a claim per number, taken before the enterprise is saved.

A claim is a document with the number as its id, so it is unique on any database, sharded or not. It
names the enterprise it was taken for and the commands that took it and may still be on their way.
What an enterprise holds stands in the enterprise; a claim that has no such holding is a leftover of
a command that broke off, and is taken over. Before that, each command on its way is given up for
good: its id is put into its enterprise's history by `Abandon`, in the same compare-and-set that it
would need itself. So of the two, one wins, and neither time nor clocks decide; a command that lives is waited for a
little, because most of them do.
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
"""Content hash of a command that was given up: the command itself, coming later, is a conflict."""


PATIENT_ROUNDS = 6
"""Rounds in which a command on its way may end by itself; after them it is taken for one that broke off."""


@dataclass(frozen=True, slots=True)
class Claim:
    number: str
    """`SCHEME:VALUE`; the document's id."""
    enterprise_id: str
    commands: tuple[str, ...]
    """Ids of commands of that enterprise that claimed it and have not ended yet."""
    version: int = 1


class Claims(Protocol):
    async def load(self, numbers: Sequence[str]) -> dict[str, Claim]:
        """The stored ones of some numbers, in one round trip."""
        ...

    async def insert(self, claim: Claim) -> bool:
        """Store a claim; False where the number has one."""
        ...

    async def replace(self, claim: Claim, expected_version: int) -> bool:
        """Compare-and-set; False where the claim was changed by others."""
        ...


class NumberTaken(Exception):
    """The number is held by another enterprise."""

    def __init__(self, number: str, holder: str) -> None:
        super().__init__(f"{number} belongs to {holder}")
        self.number = number
        self.holder = holder


class GivenUp(Exception):
    """Another enterprise's command took a number over, and gave this command up for it: it can never be applied."""


async def claim(
    claims: Claims, enterprises: Enterprises, numbers: Sequence[str], enterprise_id: str, command_id: str, actor: str
) -> None:
    """Claim numbers for an enterprise on behalf of a command; harmless to repeat.

    Raises:
        NumberTaken: another enterprise holds one of them.
        GivenUp: as it says. Whoever lost a number must not take it back, or all of many give each other up.
    """
    had = set[str]()
    async for round_ in rounds():
        stored = await claims.load(numbers)
        ours = {number for number in numbers if _is_ours(stored.get(number), enterprise_id, command_id)}
        if not had <= ours:
            raise GivenUp(command_id)
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
    raise InfrastructureError(f"the claims of {enterprise_id} were changed by others {ROUNDS} times over")


async def settle(claims: Claims, numbers: Sequence[str], enterprise_id: str, command_id: str) -> None:
    """Note that a command has ended, however it did. Where this is missed, nothing is wrong."""
    for present in (await claims.load(numbers)).values():
        if _is_ours(present, enterprise_id, command_id):
            rest = tuple(each for each in present.commands if each != command_id)
            await claims.replace(replace(present, commands=rest, version=present.version + 1), present.version)


def _is_ours(present: Claim | None, enterprise_id: str, command_id: str) -> bool:
    return present is not None and present.enterprise_id == enterprise_id and command_id in present.commands


async def _is_free(enterprises: Enterprises, present: Claim, actor: str, *, wait: bool) -> bool:
    """Whether a claim's enterprise neither holds its number nor is about to; who is about to is waited for or given up.

    Raises:
        NumberTaken: it holds it.
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
    """Also where claims were lost with their database, what an enterprise holds is not given away."""
    for holder in await enterprises.find({"state.numbers": {"$in": list(numbers)}}):
        if holder.id != enterprise_id:
            raise NumberTaken(next(number for number in numbers if number in holder.numbers), holder.id)
