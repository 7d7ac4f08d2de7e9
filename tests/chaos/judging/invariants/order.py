"""4: no delivery overtakes another of its target; each waiting one is behind one parked before it."""

from chaos.judging import core_checks
from chaos.judging.invariants.ends import DISCARDED, Ends
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, Stored, World

from contracts.topics import EVENT_TOPICS, PARTNERS


def order(world: World) -> Verdict:
    """Causes of one partition and key are in each history in the partition's order; no delivery waits without reason.

    Inputs that changed nothing are excluded: a rebuild restores their lines later. So are inputs that staff discarded
    once: their next copy counts.
    """
    ends, taken = Ends(world), core_checks.ever_parked(world)
    first = {id_: said for topic in EVENT_TOPICS for id_, said in world.first_said(topic.name).items()}
    discarded = {line["delivery"]["event_id"] for line in world.audit if line["action"] == DISCARDED}
    looked_at, faults = len(taken), core_checks.behind_nothing(taken)
    for owner in world.stored:
        causes = [first[line["cause"]] for line in owner.applied if line["events"] and line["cause"] in first]
        kept = [each for each in causes if each.envelope.id not in discarded and not _joined(ends, owner, each)]
        looked_at += len(kept)
        faults += core_checks.overtaken(owner, [(each, [each.envelope.partitionkey]) for each in kept])
    return Verdict(4, looked_at, faults)


def _joined(ends: Ends, owner: Stored, said: Said) -> bool:
    """Whether a partner event may have reached its declaration as an early one: in no order.

    An event is early if it came before the look-up of the declaration's parties: that step joins the kept events.
    """
    if said.topic != PARTNERS.name:
        return False
    looked_up = [
        each.at for each in ends.said_of(owner.id) if each.envelope.causationid.startswith(f"{owner.id}/registry/")
    ]
    return not looked_up or said.at <= max(looked_up)
