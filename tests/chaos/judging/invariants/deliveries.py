"""3: every event sent is, per addressed target, applied once or parked, and nothing else is applied."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chaos.judging import core_checks
from chaos.judging.invariants import money
from chaos.judging.invariants.addressed import COMMAND, LODGED, TOLD_BY_DOORS
from chaos.judging.invariants.ends import Ends
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, World

from contracts.topics import EVENT_TOPICS, GATEWAY, PARTNERS


def deliveries(world: World) -> Verdict:
    """Nothing was applied twice or without being sent; all declarations, partner events and own events have arrived."""
    ends = Ends(world)
    untold = [
        f"3: {said.envelope.id} of {said.topic} is in no timeline"
        for topic in EVENT_TOPICS
        for said in world.first_said(topic.name).values()
        if said.envelope.id not in world.told
    ]
    faults = [*core_checks.applied_twice(world), *_never_sent(world), *_lodged(ends), *_partners(ends), *untold]
    return Verdict(3, len(world.told), faults)


def _never_sent(world: World) -> list[str]:
    """Every cause at a consuming service is a record of a topic, a step of its own, or a staff command."""
    sent = {each.envelope.id for each in world.said}
    return [
        f"3: {owner.id} applied {cause}, which nobody sent it"
        for owner in world.stored
        if owner.service not in TOLD_BY_DOORS
        for cause in owner.causes
        if cause not in sent and not cause.startswith((f"{owner.id}/", COMMAND))
    ]


def _lodged(ends: Ends) -> list[str]:
    """Every declaration that was lodged is known to one aggregate, or parked."""
    return [
        f"3: {said.envelope.id} was lodged, and no declaration knows it"
        for said in ends.world.first_said(GATEWAY.name).values()
        if said.envelope.type == LODGED and not ends.resolved_somewhere("declarations", said)
    ]


def _partners(ends: Ends) -> list[str]:
    """Every partner event is kept, and every actual one reached each declaration of its UCR, or is parked."""
    faults = []
    for event, said in ends.world.first_said(PARTNERS.name).items():
        payload = json.loads(said.data)
        if event not in ends.world.kept and not ends.parked("declarations", said):
            faults.append(f"3: the partner event {event} is neither kept nor parked")
        faults += [
            f"3: {event} is for {target}, which neither applied nor parked it"
            for target in (_concerned(ends, said) if payload["classifier"] == "ACT" else ())
            if not ends.resolved("declarations", said, target)
        ]
    return faults


def _concerned(ends: Ends, said: Said) -> Sequence[str]:
    """Every declaration of the UCR; for money the declaration that it names, or the account if it names only a UCR."""
    named = json.loads(said.data)["references"]
    if not money.is_payment(said):
        return [each.id for each in ends.declarations_of.get(named.get("ucr") or "-", ())]
    account = money.account_of_report(said)
    if account is not None:
        return [account]
    stored = ends.world.of("declarations", "declarations")
    return [each.id for each in stored if _is_named(each.state, named)]


def _is_named(state: Mapping[str, Any], named: Mapping[str, str]) -> bool:
    own = {
        "payment_reference": (state.get("assessment") or {}).get("payment_reference"),
        "declaration_number": state.get("number"),
        "ucr": state.get("declaration", {}).get("ucr"),
    }
    return all(not named.get(name) or named[name] == value for name, value in own.items())
