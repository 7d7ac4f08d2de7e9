"""What must always hold, judged from what is durable: the topics, the databases, and an oracle of what was sent.

Each check returns sentences, one per violation; an empty list is the promise kept. Numbers are
those of the list of invariants in docs/architecture/invariants.md.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chaos import core_checks
from chaos.world import Said, World

from contracts.topics import DECLARATIONS, EVENT_TOPICS, GATEWAY, PARTNERS

_LODGED = "trade.gateway.declaration.submitted.v1"
_FACT = "trade.declarations.declaration."


@dataclass(frozen=True, slots=True)
class Sent:
    """One command given to a door, as the one who gave it remembers it."""

    key: str
    """What the door tells copies by: the submitter's own id."""
    acknowledged: bool
    receipt_id: str = ""
    """As the door answered it."""


def check_commands(world: World, sent: Sequence[Sent]) -> list[str]:
    """1: an acknowledged command has exactly one effect; one whose answer was lost has none or one."""
    faults = []
    effects = Counter(
        each.envelope.subject for topic in (GATEWAY, PARTNERS) for each in world.first_said(topic.name).values()
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
    return faults


def check_published(world: World) -> list[str]:
    """2: events on the topic = events in the histories, 1..n per aggregate, same contents, no hole, no inversion."""
    return core_checks.published(world, [topic.name for topic in EVENT_TOPICS])[1]


def check_applied_once(world: World) -> list[str]:
    """3: every event sent, per addressed target, is applied once or parked, nothing else."""
    twice = core_checks.applied_twice(world)
    untold = [
        f"3: {said.envelope.id} of {said.topic} is in no timeline"
        for topic in EVENT_TOPICS
        for said in world.first_said(topic.name).values()
        if said.envelope.id not in world.told
    ]
    return [*twice, *_lodged_faults(world), *_partner_faults(world), *untold]


def _lodged_faults(world: World) -> list[str]:
    """Every declaration that was lodged is known to one aggregate, or parked."""
    known = {cause for owner in world.of("declarations", "declarations") for cause in owner.causes}
    known |= {each["event_id"] for each in world.parked}
    return [
        f"3: {said.envelope.id} was lodged, and no declaration knows it"
        for said in world.first_said(GATEWAY.name).values()
        if said.envelope.type == _LODGED and said.envelope.id not in known
    ]


def _partner_faults(world: World) -> list[str]:
    """Every partner event is kept, and every actual one reached each declaration of its UCR, or is parked."""
    resolved = {(each["event_id"], each["target"]) for each in world.parked}
    parked = {event for event, _ in resolved}
    of_ucr: dict[str, list[str]] = {}
    for owner in world.of("declarations", "declarations"):
        of_ucr.setdefault(owner.state.get("declaration", {}).get("ucr", ""), []).append(owner.id)
        resolved |= {(cause, owner.id) for cause in owner.causes}
    faults = []
    for event, said in world.first_said(PARTNERS.name).items():
        payload = json.loads(said.data)
        if event not in world.kept and event not in parked:
            faults.append(f"3: the partner event {event} is neither kept nor parked")
        targets = of_ucr.get(payload["references"].get("ucr") or "", ()) if payload["classifier"] == "ACT" else ()
        faults += [
            f"3: {event} is for {target}, which neither applied nor parked it"
            for target in targets
            if (event, target) not in resolved
        ]
    return faults


def check_release(world: World) -> list[str]:
    """5: money is conserved, and a declaration is released only when its guard holds."""
    faults = []
    facts: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for each in world.first_said(DECLARATIONS.name).values():
        if each.envelope.type.startswith(_FACT):
            name = each.envelope.type.removeprefix(_FACT).rpartition(".")[0]
            facts.setdefault(each.envelope.subject, []).append((name, json.loads(each.data)))
    for id_, life in facts.items():
        names = [name for name, _ in life]
        for name, payload in life:
            if name == "assessed":
                lines = sum((Decimal(line["amount"]) for line in payload["lines"]), Decimal(0))
                if lines != Decimal(payload["total"]["amount"]):
                    faults.append(f"5: the lines of {id_} add up to {lines}, its total is {payload['total']['amount']}")
        if "released" in names:
            faults += _release_faults(id_, life[: names.index("released")])
        for name in ("accepted", "assessed", "released", "closed"):
            if names.count(name) > 1:
                faults.append(f"5: {id_} was {name} {names.count(name)} times")
    return faults


def _release_faults(id_: str, before: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """The guard, worked out again from the facts that were published before the release."""
    names = [name for name, _ in before]
    held = Counter[str]()
    due = paid = Decimal(0)
    for name, payload in before:
        match name:
            case "hold_placed":
                held[payload["hold"]] += 1
            case "hold_lifted":
                held[payload["hold"]] = 0
            case "assessed":
                due = Decimal(payload["total"]["amount"])
            case "payment_recorded" | "payment_reversed":
                paid = Decimal(payload["paid"]["amount"])
    terms = {
        "accepted": "accepted" in names,
        "assessed": "assessed" in names,
        "presented": names.count("presented") > names.count("presentation_withdrawn"),
        "free of holds": not any(held.values()),
        "paid": paid >= due,
    }
    return [f"5: {id_} was released, but it was not {term}" for term, holds in terms.items() if not holds]


Unresolved = Callable[[World, Said], bool]
"""Whether a record is addressed to a group and not resolved yet."""


def _unresolved_by_declarations(world: World, said: Said) -> bool:
    if any(each["event_id"] == said.envelope.id for each in world.parked):
        return False
    if said.topic == PARTNERS.name:
        return said.envelope.id not in world.kept
    if said.envelope.type != _LODGED:
        return False
    return not any(said.envelope.id in owner.causes for owner in world.of("declarations", "declarations"))


def _unresolved_by_tracking(world: World, said: Said) -> bool:
    return said.envelope.id not in world.told


RESOLVED: Mapping[str, tuple[Sequence[str], Unresolved]] = {
    "declarations": ((GATEWAY.name, PARTNERS.name), _unresolved_by_declarations),
    "tracking": (tuple(topic.name for topic in EVENT_TOPICS), _unresolved_by_tracking),
}
"""Consumer group → what it reads, and how to tell what it has not resolved."""


def check_offsets(world: World, groups: Sequence[str] = tuple(RESOLVED)) -> list[str]:
    """7: no committed offset stands past an unresolved delivery."""
    faults = []
    for group in groups:
        topics, unresolved = RESOLVED[group]
        for topic in topics:
            for each in world.on(topic):
                committed = {(at.topic, at.partition): offset for at, offset in world.committed.get(group, {}).items()}
                passed = committed.get((each.topic, each.partition), 0) > each.offset
                if passed and unresolved(world, each):
                    faults.append(f"7: {group} committed past {each.envelope.id}, which it has not resolved")
    return faults


def check_timers(world: World, now: datetime) -> list[str]:
    """8: deadlines fire once, not early, not lost."""
    faults = []
    for owner in world.stored:
        # What comes of a firing elsewhere carries the timer as its actor too, and an event's id as its cause.
        timers = [(line, line["by"].partition("timer:")[2]) for line in owner.lines]
        for line in (line for line, timer in timers if timer and line["cause"].startswith(f"{owner.id}/{timer}/")):
            due = datetime.fromisoformat(line["cause"].rpartition("/")[2])
            if line["at"] < due:
                faults.append(f"8: {line['cause']} fired at {line['at']}, before it was due")
        if owner.due_at is not None and owner.due_at <= now:
            faults.append(f"8: {owner.id} was due at {owner.due_at} and did not fire")
    return faults


def check_order(world: World) -> list[str]:
    """4: what queues behind something parked has something parked before it; nobody else waits."""
    return core_checks.behind_nothing(core_checks.ever_parked(world))


def check_traces(world: World) -> list[str]:
    """9: every event carries a trace: that of the history line of its cause."""
    return core_checks.traced(world, [topic.name for topic in EVENT_TOPICS])


def check_rest(world: World, now: datetime) -> list[str]:
    """10: when the faults have ended, lag, unsent events, parked deliveries and overdue work go to zero."""
    faults = []
    for group, (topics, _) in RESOLVED.items():
        for partition, end in world.ends.items():
            if partition.topic in topics and end > world.committed.get(group, {}).get(partition, 0):
                faults.append(f"10: {group} has not read {partition.topic}/{partition.partition} to its end {end}")
    for owner in world.stored:
        if owner.outbox:
            faults.append(f"10: {owner.id} has {len(owner.outbox)} unsent events")
        if owner.try_after is not None and owner.try_after <= now:
            faults.append(f"10: {owner.id} waits for work that nobody does")
    faults += [f"10: {each['target']} has parked {each['_id']}: {each['error']}" for each in world.parked]
    return faults


def check_all(world: World, sent: Sequence[Sent], now: datetime) -> list[str]:
    """Every check that holds at rest."""
    return [
        *check_commands(world, sent),
        *check_published(world),
        *check_applied_once(world),
        *check_order(world),
        *check_release(world),
        *check_offsets(world),
        *check_timers(world, now),
        *check_traces(world),
        *check_rest(world, now),
    ]
