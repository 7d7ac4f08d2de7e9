"""10: after the faults end, lag, unsent events, parked deliveries, overdue work and unsent mail return to zero."""

from chaos.judging import core_checks
from chaos.judging.invariants.addressed import GROUPS
from chaos.judging.invariants.notices import under_way
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World


def rest(world: World) -> Verdict:
    """Nothing waits to be read, published, processed or handled by staff."""
    _, faults = core_checks.rest(world, world.read_at, {name: group.reads for name, group in GROUPS.items()})
    faults += [f"10: {each.id} is {each.state['status']}, not sent" for each in under_way(world)]
    faults += [f"10: {each['target']} has parked {each['_id']}: {each['error']}" for each in world.parked]
    return Verdict(10, len(world.ends), faults)
