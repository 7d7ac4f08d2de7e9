"""Staff commands: one function per use case.

The steps of a command: validate the request, claim its numbers, store the contact as a draft, decide
and save, merge the contact, settle the claims. Each step is harmless to repeat, so a command
interrupted at any step is completed by repeating it with the same id.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from chassis.aggregates import Applied, Duplicate, Failed, Input
from chassis.failures import is_infrastructure
from registry.claims import Claim, CommandAbandoned, claim, settle
from registry.contacts import draft_contact, drop_draft
from registry.domain.contact import OtherContent
from registry.domain.enterprise import (
    Change,
    Command,
    Enterprise,
    NotRegistered,
    Register,
    Reinstate,
    Suspend,
)
from registry.domain.identifiers import Number
from registry.ports import Known, Ports
from registry.queries import find_enterprises, with_contact
from registry.requests import (
    Description,
    InvalidRequest,
    Judged,
    command_id_faults,
    country_faults,
    judge,
    reason_faults,
)
from values.references import CommandId

_COMMAND = "command/"
"""Prefix of a claimed command id; no number has this form."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who requests a change, and under which command id."""

    command_id: CommandId
    actor: str


class CommandConflict(Exception):
    """The command id was used with other content, or the command was abandoned for another enterprise's."""

    def __init__(self, command_id: str) -> None:
        super().__init__(command_id)
        self.command_id = command_id


async def register(ports: Ports, order: Order, country: str, description: Description) -> Known:
    """Register an enterprise; its first number becomes its id.

    Raises:
        InvalidRequest, NumberTaken, CommandConflict, Refused
    """
    faults = [*command_id_faults(order.command_id), *country_faults(ports.rules, country)]
    judged = judge(ports.rules, description, faults, country)
    command = Register(judged.numbers[0], country, judged.numbers, judged.roles, judged.warnings)
    async with ports.turns.of(command.id):
        return await _describe(ports, order, command.id, command, judged, description.contact)


async def change(ports: Ports, order: Order, enterprise_id: str, description: Description) -> Known:
    """Replace numbers, roles and those contact fields that are given.

    Raises:
        InvalidRequest, NumberTaken, CommandConflict, Refused
    """
    judged = judge(ports.rules, description, command_id_faults(order.command_id))
    id_ = await _id_of(ports, enterprise_id)
    command = Change(judged.numbers, judged.roles, judged.warnings)
    async with ports.turns.of(id_):
        return await _describe(ports, order, id_, command, judged, description.contact)


async def suspend(ports: Ports, order: Order, enterprise_id: str, reason: str) -> Known:
    """Keep an enterprise from acting.

    Raises:
        InvalidRequest, CommandConflict, Refused
    """
    return await _decide_standing(ports, order, enterprise_id, Suspend(reason))


async def reinstate(ports: Ports, order: Order, enterprise_id: str, reason: str) -> Known:
    """Let a suspended enterprise act again.

    Raises:
        InvalidRequest, CommandConflict, Refused
    """
    return await _decide_standing(ports, order, enterprise_id, Reinstate(reason))


async def _describe(
    ports: Ports, order: Order, id_: str, command: Command, judged: Judged, contact: Mapping[str, str]
) -> Known:
    await _own_command(ports, order, id_)
    try:
        await claim(ports.claims, ports.enterprises, judged.numbers, id_, order.command_id, order.actor)
    except CommandAbandoned:
        raise CommandConflict(order.command_id) from None
    try:
        await _draft(ports, order, id_, contact)
        enterprise = await _apply(ports, order, id_, command)
    except Exception as error:
        # After an infrastructure failure the command may be saved: its claim stays until it is repeated or abandoned.
        if not is_infrastructure(error):
            await drop_draft(ports, id_, order.command_id)
            await settle(ports.claims, judged.numbers, id_, order.command_id)
        raise
    known = await with_contact(ports, enterprise)
    await settle(ports.claims, judged.numbers, id_, order.command_id)
    return known


async def _draft(ports: Ports, order: Order, id_: str, contact: Mapping[str, str]) -> None:
    try:
        await draft_contact(ports, id_, contact, order.command_id)
    except OtherContent:
        raise CommandConflict(order.command_id) from None


async def _decide_standing(ports: Ports, order: Order, number: str, command: Suspend | Reinstate) -> Known:
    faults = [*command_id_faults(order.command_id), *reason_faults(command.reason)]
    if faults:
        raise InvalidRequest(faults)
    id_ = await _id_of(ports, number)
    await _own_command(ports, order, id_)
    return await with_contact(ports, await _apply(ports, order, id_, command))


async def _id_of(ports: Ports, number: str) -> str:
    """The id of the enterprise that holds a number, primary or secondary.

    Raises:
        NotRegistered
    """
    scheme, _, value = number.partition(":")
    found = (await find_enterprises(ports, [Number(scheme, value)]))[0]
    if found is None:
        raise NotRegistered(number)
    return found.id


async def _own_command(ports: Ports, order: Order, id_: str) -> None:
    """Claim the command id for one enterprise: histories alone cannot show that another enterprise used it.

    Raises:
        CommandConflict: another enterprise used it.
    """
    claimed = f"{_COMMAND}{order.command_id}"
    if await ports.claims.insert(Claim(claimed, id_, ())):
        return
    stored = await ports.claims.load([claimed])
    if stored[claimed].enterprise_id != id_:
        raise CommandConflict(order.command_id)


async def _apply(ports: Ports, order: Order, id_: str, command: Command) -> Enterprise:
    outcome = await ports.enterprises.apply_one(
        Input(id_, cause=order.command_id, command=command, actor=order.actor, hash=_hash(command))
    )
    match outcome:
        case Applied(state=Enterprise() as state) | Duplicate(state=Enterprise() as state):
            return state
        case Failed(error=error):
            raise error
        case _:
            raise CommandConflict(order.command_id)


def _hash(command: Command) -> str:
    """Hash of a command without personal data, which must not survive erasure in a history."""
    content = json.dumps([type(command).__name__, asdict(command)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
