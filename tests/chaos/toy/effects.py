"""Letters, bills and traces of a toy (invariants 6, 8 and 9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chaos.judging import core_checks
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Spans, Stored
from chaos.toy.domain import BillSettled, BillStatus
from chaos.toy.fates import Fate, Fates
from chaos.toy.letter import LetterStatus
from chaos.toy.messages import COUNTER_MESSAGES
from chaos.toy.oracle import Order, Payment

from chassis.telemetry import trace_id


def letters(fates: Fates) -> Verdict:
    """6: one intent per expected letter, claimed before each attempt, sent at least once, always under its id."""
    expected = {step.target: step for step in fates.steps if step.is_letter}
    taken: dict[str, list[datetime]] = {}
    for id_, at in fates.oracle.letters:
        taken.setdefault(id_, []).append(at)
    faults = [f"6: {id_} went out, and nobody ordered it" for id_ in sorted(taken.keys() - expected.keys())]
    stored = {each.id for each in fates.world.stored if each.collection == "letters"}
    faults += [f"6: the letter {id_} exists, and nobody ordered it" for id_ in sorted(stored - expected.keys())]
    for id_, step in expected.items():
        sent, owner = taken.get(id_, []), fates.owners.get(id_)
        if step.fate is not Fate.APPLIED or owner is None or id_ in fates.world.locks:
            faults += [f"6: {id_} went out without an intent"] if sent and owner is None else []
            faults += [f"6: {id_} has no intent"] if step.fate is Fate.MISSING else []
            continue
        faults += _attempts(owner, sent, fates.oracle.lost)
    return Verdict(6, len(expected), faults)


def _attempts(owner: Stored, sent: Sequence[datetime], lost: bool) -> list[str]:
    claims = [line["at"] for line in owner.lines if line["cause"].removeprefix(f"{owner.id}/attempt/").isdigit()]
    faults = []
    if owner.state.get("status") != LetterStatus.SENT:
        faults.append(f"6: {owner.id} is {owner.state.get('status')}, not sent")
    if not sent:
        faults.append(f"6: {owner.id} never went out")
    if len(sent) > len(claims) and not lost:
        faults.append(f"6: {owner.id} went out {len(sent)} times on {len(claims)} claims")
    if sent and claims and min(sent) < min(claims) and not lost:
        faults.append(f"6: {owner.id} went out before it was claimed")
    return faults


def bills(fates: Fates, now: datetime) -> Verdict:
    """8: each deadline fires once, not early, not lost; the final status is what punctual payments require."""
    _, faults = core_checks.timers(fates.world, now)
    paid: dict[tuple[str, str], list[tuple[Payment, Fate]]] = {}
    for each in fates.oracle.payments.values():
        paid.setdefault((each.counter, each.number), []).append((each, fates.fate(each.id, each.counter)))
    dues = {each.id: _deadlines(each) for each in fates.world.stored if each.collection == "counters"}
    faults += [
        f"8: {owner.id} fired at {due}, which was no deadline of its"
        for owner, _, due in core_checks.timers_fired(fates.world)
        if due not in dues.get(owner.id, ())
    ]
    looked_at = 0
    for step in fates.steps:
        billed = step.order is not None and step.order.pay_within is not None and step.hop == 0 and not step.is_letter
        if not billed or step.fate is not Fate.APPLIED or step.order is None or not step.order.amount:
            continue
        looked_at += 1
        bill = fates.owners[step.target].state.get("bills", {}).get(step.order.number)
        if bill is None:
            faults.append(f"8: {step.target} has no bill for {step.order.number}")
            continue
        payments = paid.get((step.target, step.order.number), [])
        faults += _end(fates, step.target, step.order.number, bill, payments, now)
    for said in fates.world.said:
        if said.envelope.type.endswith(".bill_settled.v1") and said.envelope.actor.startswith("timer:"):
            due = datetime.fromisoformat(said.envelope.causationid.rpartition("/")[2])
            if said.envelope.time < due:
                faults.append(f"8: {said.envelope.id} settled a bill before it was due")
    return Verdict(8, looked_at, faults)


def _deadlines(counter: Stored) -> set[datetime]:
    return {datetime.fromisoformat(bill["due"]) for bill in counter.state.get("bills", {}).values()}


def _end(
    fates: Fates,
    counter: str,
    number: str,
    bill: Mapping[str, Any],
    payments: Sequence[tuple[Payment, Fate]],
    now: datetime,
) -> list[str]:
    """The status of one bill, compared with the required one."""
    due, status, name = (
        datetime.fromisoformat(bill["due"]),
        BillStatus(bill["status"]),
        f"the bill {number} of {counter}",
    )
    applied = [each for each, fate in payments if fate is Fate.APPLIED]
    punctual, late = [each for each in applied if each.at <= due], [each for each in applied if each.at > due]
    wanted = {BillStatus.OPEN} if due > now else {BillStatus.OVERDUE}
    if counter in fates.world.locks:
        wanted = {BillStatus.OPEN, BillStatus.OVERDUE}
    if applied:
        wanted = {BillStatus.PAID, BillStatus.FORGIVEN} if punctual else set()
        wanted |= {BillStatus.PAID_LATE} if late else set()
    faults = [] if status in wanted else [f"8: {name}, due {due}, is {status}, not {' or '.join(sorted(wanted))}"]
    overdue = _times_overdue(fates, counter, number)
    if overdue > 1:
        faults.append(f"8: {name} became overdue {overdue} times")
    in_time = [
        each.id
        for each in punctual
        if (at := fates.oracle.acknowledged_at.get(each.id)) is not None and at <= due and each.id not in fates.by_key
    ]
    if overdue and in_time:
        faults.append(f"8: {name} became overdue, and {in_time[0]} stood on the topic before it was due")
    return faults


def _times_overdue(fates: Fates, counter: str, number: str) -> int:
    """How often a bill passed its deadline, by the counter's published events."""
    times = 0
    for event in fates.owners[counter].events:
        said = fates.first.get(event)
        if said is not None and said.envelope.type.endswith(".bill_settled.v1"):
            settled = COUNTER_MESSAGES.decode(said.envelope.type, said.data)
            overdue = isinstance(settled, BillSettled) and settled.status is BillStatus.OVERDUE
            times += overdue and isinstance(settled, BillSettled) and settled.number == number
    return times


def traces(fates: Fates, own: str, spans: Spans | None) -> Verdict:
    """9: every event leads to an input of the oracle by causation, and to its trace by parent or link.

    Args:
        spans: what was exported, where anybody collected it; without it only what is durable is asked: an
            input's trace goes through to everything that comes of it at once, each step of the aggregate's
            own has a trace.
    """
    faults = core_checks.traced(fates.world, [own])
    first = fates.world.first_said(own)
    told: dict[str, Order | Payment] = {**fates.oracle.orders, **fates.oracle.payments}
    linked = None if spans is None else _by_trace(spans)
    for id_, said in first.items():
        cause = said.envelope.causationid
        if cause in told:
            wanted = trace_id({"traceparent": told[cause].traceparent}) if cause in fates.first else ""
        elif cause in first:
            wanted = trace_id(first[cause].envelope.trace)
        elif cause.startswith(f"{said.envelope.subject}/"):
            if linked is not None:
                faults += _unlinked(fates, said.envelope.subject, id_, trace_id(said.envelope.trace), linked)
            continue
        else:
            faults.append(f"9: the cause of {id_}, {cause}, is nothing that anybody said")
            continue
        found = trace_id(said.envelope.trace)
        if wanted and found != wanted and wanted not in _reached(found, linked or {}):
            faults.append(f"9: the trace of {id_} does not lead to that of its cause {cause}")
    return Verdict(9, len(first), faults)


def _unlinked(fates: Fates, owner: str, id_: str, found: str, linked: Mapping[str, set[str]]) -> list[str]:
    """A step of an aggregate's own leads to a trace of an input that the aggregate had before."""
    before = set()
    for line in fates.owners[owner].lines if owner in fates.owners else ():
        if id_ in line["events"]:
            break
        if not line["cause"].startswith(f"{owner}/"):
            before.add(trace_id(line["trace"]))
    return [] if before & _reached(found, linked) else [f"9: the trace of {id_} leads to no input of {owner}"]


def _by_trace(spans: Spans) -> dict[str, set[str]]:
    """Trace id → the traces that its spans lead to."""
    linked: dict[str, set[str]] = {}
    for span, causes in spans.items():
        trace, _, _ = span.partition("/")
        linked.setdefault(trace, set()).update(cause.partition("/")[0] for cause in causes)
    return linked


def _reached(start: str, linked: Mapping[str, set[str]]) -> set[str]:
    reached, todo = set[str](), [start]
    while todo:
        trace = todo.pop()
        if trace not in reached:
            reached.add(trace)
            todo += linked.get(trace, ())
    return reached
