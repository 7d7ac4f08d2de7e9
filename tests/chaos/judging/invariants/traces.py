"""9: every event leads to its cause, and its trace to that of its cause, by parent or link."""

from collections.abc import Mapping, Sequence

from chaos.judging import core_checks
from chaos.judging.invariants.addressed import COMMAND, TOLD_BY_DOORS
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, Stored, World

from chassis.telemetry import trace_id
from contracts.topics import EVENT_TOPICS


def traces(world: World) -> Verdict:
    """Causation leads to an event, to a door, or to a step of the aggregate itself; the trace follows it.

    The effects of an event continue its trace. A timer, a worker or a peer's answer begins a new trace, which the span
    that sent the event links to the previous one. If that span was exported, its links are judged. If it was lost
    (its process was killed before the export), nothing durable proves it: it is not judged as long as others exist.
    """
    faults = core_checks.traced(world, [topic.name for topic in EVENT_TOPICS])
    copies: dict[str, list[Said]] = {}
    for said in world.said:
        copies.setdefault(said.envelope.id, []).append(said)
    owners = {each.id: each for each in world.stored}
    apart = heard = 0
    for id_, (said, *_) in copies.items():
        cause = said.envelope.causationid
        found = trace_id(said.envelope.trace)
        if cause in copies:
            if found != trace_id(copies[cause][0].envelope.trace):
                faults.append(f"9: {id_} is not in the trace of its cause {cause}")
        elif cause.startswith(f"{said.envelope.subject}/"):
            before = _before(owners.get(said.envelope.subject), id_)
            if world.spans is None or found in before:
                continue
            apart += 1
            reached = _reached(copies[id_], world.spans)
            heard += bool(reached)
            if reached and not before & reached:
                faults.append(f"9: the trace of {id_} leads to no earlier one of {said.envelope.subject}")
        elif said.envelope.source.rpartition("/")[2] not in TOLD_BY_DOORS and not cause.startswith(COMMAND):
            faults.append(f"9: the cause of {id_}, {cause}, is nothing that anybody said")
    if apart and not heard:
        faults.append(f"9: of {apart} events in traces of their own, no span says what they came of")
    return Verdict(9, len(world.said), faults)


def _before(owner: Stored | None, event: str) -> set[str]:
    """The traces of the inputs that an aggregate applied before an event."""
    before = set[str]()
    for line in owner.lines if owner is not None else ():
        if event in line["events"]:
            break
        before.add(trace_id(line["trace"]))
    return before


def _reached(copies: Sequence[Said], spans: Mapping[str, Sequence[str]]) -> set[str]:
    """The traces linked by the spans that sent an event; none if they were not exported."""
    reached = set[str]()
    for said in copies:
        sent_by = "/".join(said.envelope.trace.get("traceparent", "").split("-")[1:3])
        reached |= {each.partition("/")[0] for each in spans.get(sent_by, ())}
    return reached
