"""Commands, histories, deliveries, order, sums and offsets of a toy (invariants 1 to 5 and 7)."""

from collections.abc import Iterable

from chaos.judging import core_checks
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, Stored
from chaos.toy.aggregates import COUNTER_CODEC, letter_id
from chaos.toy.domain import answer_to, evolve, next_counter
from chaos.toy.fates import Fate, Fates, own_step
from chaos.toy.messages import (
    BILL_PAID,
    COUNTED,
    COUNTER_MESSAGES,
    LETTER_ORDERED,
    ORDER_PLACED,
    BillPaid,
    Counted,
    LetterOrdered,
    OrderPlaced,
)
from chaos.toy.oracle import Way

UNREADABLE = {"undecodable", "unknown_version", "schema"}


def commands(fates: Fates) -> Verdict:
    """1: acknowledged at the door = exactly one effect, refused = none, unknown = none or one."""
    oracle, faults = fates.oracle, []
    doors = [each for each in oracle.orders.values() if each.way is Way.DOOR]
    effects: dict[str, list[str]] = {}
    for owner in fates.world.stored:
        for cause in owner.causes:
            effects.setdefault(cause, []).append(owner.id)
    for order in doors:
        found = effects.get(order.id, [])
        where = order.counters[0]
        if order.id in oracle.acknowledged and found != [where]:
            faults.append(f"1: {order.id} was acknowledged, and has effects on {found} in place of {where}")
        elif order.id in oracle.refused and found:
            faults.append(f"1: {order.id} was refused, and has effects on {found}")
        elif len(found) > 1:
            faults.append(f"1: {order.id} has {len(found)} effects")
    return Verdict(1, len(doors), faults)


def histories(fates: Fates, own: str) -> Verdict:
    """2: the published events equal those in the histories, and folding them gives the stored states."""
    looked_at, faults = core_checks.published(fates.world, [own])
    events: dict[str, list[Said]] = {}
    for said in fates.world.first_said(own).values():
        events.setdefault(said.envelope.subject, []).append(said)
    for owner in fates.world.stored:
        own_events = events.get(owner.id, [])
        if owner.collection != "counters" or not owner.state or owner.outbox or len(own_events) != owner.seq:
            continue
        state = None
        try:
            for each in own_events:
                state = evolve(state, COUNTER_MESSAGES.decode(each.envelope.type, each.data))
        except Exception as error:
            faults.append(f"2: the events of {owner.id} cannot be folded: {error!r}")
            continue
        if state != COUNTER_CODEC.decode(owner.state):
            faults.append(f"2: the events of {owner.id} make another state than is stored")
    return Verdict(2, looked_at, faults)


def deliveries(fates: Fates) -> Verdict:
    """3: everything sent is applied once per target, parked, or discarded by staff; nothing else is applied."""
    world, oracle = fates.world, fates.oracle
    faults = core_checks.applied_twice(world)
    for step in fates.steps:
        if step.fate is Fate.MISSING and step.certain and step.cause not in oracle.refused:
            faults.append(f"3: {step.cause} is neither applied to {step.target} nor parked")
    numbers = {each.number for each in oracle.orders.values()}
    for owner in world.stored:
        for cause in (line["cause"] for line in owner.applied):
            if (cause, owner.id) not in fates.of and not own_step(owner.id, cause, numbers):
                faults.append(f"3: {owner.id} applied {cause}, which nobody sent it")
    parked = {f"{each['topic']}/{each['partition']}/{each['offset']}" for each in core_checks.ever_parked(world)}
    faults += [f"3: the unreadable record {each} is not parked" for each in sorted(oracle.poison - parked)]
    return Verdict(3, len(fates.steps) + len(oracle.poison), faults)


def order(fates: Fates) -> Verdict:
    """4: no delivery overtakes another of its target; each is parked for its own fault or behind an earlier one."""
    world, oracle = fates.world, fates.oracle
    taken = core_checks.ever_parked(world)
    faults = core_checks.behind_nothing(taken)
    events = {f"{each.topic}/{each.partition}/{each.offset}" for each in world.said}
    negative = {each.number for each in oracle.orders.values() if each.amount < 0}
    for each in taken:
        position = f"{each['topic']}/{each['partition']}/{each['offset']}"
        if each["reason"] in UNREADABLE and position in events - oracle.poison:
            faults.append(f"4: {each['event_id'] or position} was parked as {each['reason']}, and can be read")
        known_bad = position in oracle.poison or each["target"] in oracle.unreadable
        by_fault = known_bad or _of(each["event_id"], fates) & negative
        if each["reason"] == "refused" and not by_fault:
            faults.append(f"4: {each['event_id'] or each['topic']} was parked for {each['target']}: {each['error']}")
    for owner in world.stored:
        faults += _overtaken(owner, fates)
    return Verdict(4, len(taken), faults)


def _of(event_id: str, fates: Fates) -> set[str]:
    """The number of the order that a delivery belongs to."""
    return {step.order.number for (cause, _), step in fates.of.items() if cause == event_id and step.order}


def _overtaken(owner: Stored, fates: Fates) -> list[str]:
    """Inputs of one partition in an order other than the partition's.

    Inputs that changed nothing are left out: a rebuild restores their lines later. So are inputs that staff discarded
    once: their next copy counts. Inputs of another key may overtake one that waited under its key.
    """
    laned = []
    for line in owner.lines:
        said = fates.first.get(line["cause"])
        if said is None or not line["events"] or line["cause"] in fates.given_up:
            continue
        key = said.envelope.partitionkey
        laned.append((said, [key] if said.envelope.id in fates.by_key else ["", key]))
    return core_checks.overtaken(owner, laned)


def sums(fates: Fates) -> Verdict:
    """5: every counter has counted its orders, and has the peer's answers."""
    expected: dict[str, int] = {}
    answers: dict[str, dict[str, int]] = {}
    for step in fates.steps:
        order_, counted = step.order, step.fate is Fate.APPLIED
        if order_ is None or step.is_letter or not (counted or (step.certain and step.fate is Fate.MISSING)):
            continue
        place = step.target
        for _ in range(1 if counted else order_.hops - step.hop + 1):  # what is missing is missed on its whole way
            expected[place] = expected.get(place, 0) + order_.amount
            place = next_counter(place)
        if order_.ask and step.hop == 0 and order_.amount and order_.way is Way.KAFKA:
            answers.setdefault(step.target, {})[order_.number] = answer_to(order_.number)
    faults = []
    for counter in sorted({*expected, *(each.id for each in fates.world.stored if each.collection == "counters")}):
        state = fates.owners[counter].state if counter in fates.owners else {}
        total = state.get("total", 0)
        if total != expected.get(counter, 0):
            faults.append(f"5: {counter} counts {total}, {expected.get(counter, 0)} were ordered")
        wanted, given = answers.get(counter, {}), state.get("answers", {})
        wrong = {number: value for number, value in given.items() if wanted.get(number) != value}
        open_ = {number for number in wanted if number not in given} if counter not in fates.world.locks else ()
        faults += [f"5: {counter} has {value} for an answer to {number}" for number, value in wrong.items()]
        faults += [f"5: {counter} has no answer to {number}" for number in sorted(open_)]
    return Verdict(5, len(expected) + sum(map(len, answers.values())), faults)


def offsets(fates: Fates, group: str) -> Verdict:
    """7: no committed offset of the group is past an unresolved delivery. Holds at every moment."""
    world, faults = fates.world, []
    committed = {(at.topic, at.partition): offset for at, offset in world.committed.get(group, {}).items()}
    readable = {(each.topic, each.partition, each.offset): each for each in world.said}
    parked = {(each["topic"], each["partition"], each["offset"]) for each in core_checks.ever_parked(world)}
    for record in world.records:
        if committed.get((record.topic, record.partition), 0) <= record.offset:
            continue
        at = (record.topic, record.partition, record.offset)
        try:
            said = readable[at]
            open_ = [target for target in _targets(said) if fates.fate(said.envelope.id, target) is Fate.MISSING]
        except (KeyError, ValueError):  # nobody can read it
            open_ = [] if at in parked else ["anybody"]
        faults += [f"7: {group} committed past {record.position}, unresolved for {target}" for target in open_]
    return Verdict(7, len(world.records), faults)


def _targets(said: Said) -> Iterable[str]:
    """The targets of a record, derived from its bytes."""
    match said.envelope.type:
        case type_ if type_ == ORDER_PLACED:
            return dict.fromkeys(OrderPlaced.model_validate_json(said.data).counters)
        case type_ if type_ == BILL_PAID:
            return (BillPaid.model_validate_json(said.data).counter,)
        case type_ if type_ == COUNTED:
            counted = Counted.model_validate_json(said.data)
            return (next_counter(counted.counter),) if counted.hops > 0 else ()
        case type_ if type_ == LETTER_ORDERED:
            ordered = LetterOrdered.model_validate_json(said.data)
            return (letter_id(ordered.counter, ordered.number),)
    return ()
