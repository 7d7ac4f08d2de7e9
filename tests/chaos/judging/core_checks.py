"""Invariants of every service on the chassis, shared by the checkers of the toy and of the platform."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from chaos.judging.world import Said, Stored, World

from chassis.telemetry import trace_id


def published(world: World, topics: Sequence[str]) -> tuple[int, list[str]]:
    """2: events on the topic = events in the histories, 1..n per aggregate, same contents, in order, no gap."""
    events: dict[str, list[Said]] = {}
    faults = _copies(world)
    for topic in topics:
        for each in world.first_said(topic).values():
            events.setdefault(each.envelope.subject, []).append(each)
    owners = {each.id: each for each in world.stored}
    for subject, said in events.items():
        order = [each.envelope.sequence for each in said]
        if order != list(range(1, len(order) + 1)):
            faults.append(f"2: the events of {subject} appear as {order}")
        caused = _causes(owners[subject]) if subject in owners else {}
        for each in said:
            if each.envelope.id not in caused:
                faults.append(f"2: {each.envelope.id} is on {each.topic} but in no history")
            elif caused[each.envelope.id] != each.envelope.causationid:
                faults.append(f"2: {each.envelope.id} was published with another cause than stands in the history")
    for owner in world.stored:
        faults += _history_faults(owner, {each.envelope.id for each in events.get(owner.id, ())})
    return sum(len(said) for said in events.values()), faults


def _copies(world: World) -> list[str]:
    """Events that are on a topic more than once with different contents."""
    faults = []
    copies: dict[tuple[str, str], Said] = {}
    for each in world.said:
        known = copies.setdefault((each.topic, each.envelope.id), each)
        same = (known.data, known.envelope.type, known.envelope.sequence, known.envelope.partitionkey)
        if same != (each.data, each.envelope.type, each.envelope.sequence, each.envelope.partitionkey):
            faults.append(f"2: {each.envelope.id} stands on {each.topic} with two contents")
    return faults


def _causes(owner: Stored) -> dict[str, str]:
    return {event: line["cause"] for line in owner.lines for event in line["events"]}


def _history_faults(owner: Stored, on_topic: set[str]) -> list[str]:
    claimed = owner.events
    waiting = {entry["id"] for entry in owner.outbox}
    faults = [f"2: {owner.id} has seq {owner.seq} and {len(claimed)} events"] if owner.seq != len(claimed) else []
    if not owner.counts_on:
        faults.append(f"2: the history of {owner.id} counts {owner.counts}")
    return faults + [
        f"2: {event} stands in the history of {owner.id}, not on the topic and not in the outbox"
        for event in claimed
        if event not in on_topic and event not in waiting
    ]


def applied_twice(world: World) -> list[str]:
    """3: no cause is in a history twice."""
    return [
        f"3: {owner.service} applied {cause} {count} times to {owner.id}"
        for owner in world.stored
        for cause, count in Counter(owner.causes).items()
        if count > 1
    ]


def behind_nothing(taken: Iterable[Mapping[str, Any]]) -> list[str]:
    """4: a delivery that waits behind a parked one has a parked one before it, of the same target or key.

    Before it in time or on their topic: an older record that is redelivered waits behind the younger parked one, and if
    two members park the same record, the one that received it later may write first.
    """
    taken = list(taken)
    roots: dict[str, list[Mapping[str, Any]]] = {}
    for each in taken:
        if each["reason"] != "behind":
            roots.setdefault(each["target"], []).append(each)
    return [
        f"4: {each['event_id'] or each['_id']} waited for {each['target']}, where nothing had been parked"
        for each in taken
        if each["reason"] == "behind" and not any(_before(root, each) for root in roots.get(each["target"], ()))
    ]


def _before(root: Mapping[str, Any], waiting: Mapping[str, Any]) -> bool:
    same_partition = (root["topic"], root["partition"]) == (waiting["topic"], waiting["partition"])
    return bool(root["parked_at"] <= waiting["parked_at"] or (same_partition and root["offset"] < waiting["offset"]))


def overtaken(owner: Stored, laned: Iterable[tuple[Said, Sequence[str]]]) -> list[str]:
    """4: inputs of one partition and lane are in a history in the order of the partition.

    Args:
        laned: inputs in the order of the history, each with its lanes: those of one lane must not overtake each other.
    """
    faults = []
    latest: dict[tuple[str, int, str], Said] = {}
    for said, lanes in laned:
        for lane in lanes:
            at = (said.topic, said.partition, lane)
            before = latest.get(at)
            if before is not None and before.offset > said.offset:
                faults.append(f"4: {before.envelope.id} overtook {said.envelope.id} on its way to {owner.id}")
            else:
                latest[at] = said
    return faults


def ever_parked(world: World) -> list[Mapping[str, Any]]:
    """Every present or past parked delivery, each once."""
    found = {each["_id"]: each for each in world.parked}
    return list(found.values()) + [line["delivery"] for line in world.audit if line["delivery"]["_id"] not in found]


def timers_fired(world: World) -> list[tuple[Stored, Mapping[str, Any], datetime]]:
    """Every fired deadline: its aggregate, history line and due time."""
    return [
        (owner, line, datetime.fromisoformat(line["cause"].rpartition("/")[2]))
        for owner in world.stored
        for line in owner.lines
        if line["by"].startswith("timer:")
    ]


def timers(world: World, now: datetime) -> tuple[int, list[str]]:
    """8: deadlines do not fire early and are not lost."""
    fired = timers_fired(world)
    faults = [
        f"8: {line['cause']} fired at {line['at']}, before it was due" for _, line, due in fired if line["at"] < due
    ]
    times = Counter((owner.id, due) for owner, _, due in fired)
    faults += [
        f"8: the deadline {due} of {id_} fired {count} times" for (id_, due), count in times.items() if count > 1
    ]
    due = [each for each in world.stored if each.due_at is not None and each.id not in world.locks]
    faults += [
        f"8: {owner.id} was due at {owner.due_at} and did not fire"
        for owner in due
        if owner.due_at is not None and owner.due_at <= now
    ]
    return len(fired) + len(due), faults


def traced(world: World, topics: Sequence[str]) -> list[str]:
    """9: every event carries the trace of its cause's history line."""
    traces = {event: line["trace"] for owner in world.stored for line in owner.lines for event in line["events"]}
    faults = []
    for topic in topics:
        for id_, said in world.first_said(topic).items():
            found = trace_id(said.envelope.trace)
            if not found:
                faults.append(f"9: {id_} was published without a trace")
            elif id_ in traces and trace_id(traces[id_]) != found:
                faults.append(f"9: {id_} was published in another trace than it was decided in")
    return faults


def rest(
    world: World, now: datetime, reads: Mapping[str, Callable[[str], bool]], may_wait: Set[str] = frozenset()
) -> tuple[int, list[str]]:
    """10: after the faults end, lag, unsent events and overdue work return to zero.

    Args:
        reads: consumer group → whether it reads a topic.
        may_wait: ids of those whose work may wait.
    """
    faults = []
    looked_at = len(world.stored)
    for group, is_read in reads.items():
        for partition, end in world.ends.items():
            if not is_read(partition.topic):
                continue
            looked_at += 1
            if end > world.committed.get(group, {}).get(partition, 0):
                faults.append(f"10: {group} has not read {partition.topic}/{partition.partition} to its end {end}")
    for owner in world.stored:
        if owner.outbox:
            faults.append(f"10: {owner.id} has {len(owner.outbox)} unsent events")
        if owner.id in may_wait:
            continue
        if owner.try_after is not None and owner.try_after <= now:
            faults.append(f"10: {owner.id} waits for work that nobody does")
        if owner.due_at is not None and owner.due_at <= now:
            faults.append(f"10: {owner.id} is overdue since {owner.due_at}")
    return looked_at, faults
