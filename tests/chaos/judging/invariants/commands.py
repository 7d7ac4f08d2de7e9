"""1: an acknowledged command has exactly one effect; one whose answer was lost has none or one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.judging.verdicts import Verdict
from chaos.judging.world import World

from contracts.gateway.v1 import PARTNER_FACTS
from contracts.topics import GATEWAY, PARTNERS


@dataclass(frozen=True, slots=True)
class Sent:
    """One command sent to a door, as its sender recorded it."""

    key: str
    """How the door recognises copies: the submitter's own id."""
    acknowledged: bool
    receipt_id: str = ""
    """As the door answered it."""


def commands(world: World, sent: Sequence[Sent]) -> Verdict:
    """Every acknowledged command has one receipt, and that one event."""
    faults = []
    effects = Counter(
        each.envelope.subject
        for topic in (GATEWAY, PARTNERS)
        for each in world.first_said(topic.name).values()
        if each.envelope.type not in PARTNER_FACTS  # staff may change a partner any number of times
    )
    receipts = {each.id for each in world.of("gateway")}
    answered: dict[str, set[str]] = {}
    for each in sent:
        if each.acknowledged:
            answered.setdefault(each.key, set()).add(each.receipt_id)
    for key, ids in answered.items():
        if len(ids) != 1:
            faults.append(f"1: {key} was answered with {len(ids)} receipts: {sorted(ids)}")
        for id_ in ids:
            if id_ not in receipts:
                faults.append(f"1: {key} was acknowledged as {id_}, which is not stored")
            if effects[id_] != 1:
                faults.append(f"1: {key} ({id_}) has {effects[id_]} effects")
    faults += [f"1: receipt {id_} has {count} effects" for id_, count in effects.items() if count > 1]
    return Verdict(1, len(sent), faults)
