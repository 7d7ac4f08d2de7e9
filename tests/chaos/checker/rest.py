"""10: when the faults have ended, lag, unsent events, parked deliveries, overdue work and unsent mail go to zero."""

from chaos.checker.addressed import GROUPS
from chaos.checker.notices import under_way
from chaos.verdicts import Verdict
from chaos.world import World


def rest(world: World) -> Verdict:
    """Nothing waits: to be read, to be published, to be done, to be looked at by staff."""
    faults = []
    for name, group in GROUPS.items():
        for partition, end in world.ends.items():
            if group.reads(partition.topic) and end > world.committed.get(name, {}).get(partition, 0):
                faults.append(f"10: {name} has not read {partition.topic}/{partition.partition} to its end {end}")
    for owner in world.stored:
        if owner.outbox:
            faults.append(f"10: {owner.id} has {len(owner.outbox)} unsent events")
        if owner.try_after is not None and owner.try_after <= world.read_at:
            faults.append(f"10: {owner.id} waits for work that nobody does")
        if owner.due_at is not None and owner.due_at <= world.read_at:
            faults.append(f"10: {owner.id} is overdue since {owner.due_at}")
    faults += [f"10: {each.id} is {each.state['status']}, not sent" for each in under_way(world)]
    faults += [f"10: {each['target']} has parked {each['_id']}: {each['error']}" for each in world.parked]
    return Verdict(10, len(world.ends), faults)
