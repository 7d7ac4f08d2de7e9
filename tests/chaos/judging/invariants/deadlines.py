"""8: each deadline fires once, not early, and none is lost."""

from datetime import datetime

from chaos.judging.verdicts import Verdict
from chaos.judging.world import World


def deadlines(world: World) -> Verdict:
    """No timer fired early, and none was due when the world was read."""
    faults = []
    for owner in world.stored:
        # Effects of a firing elsewhere also have the timer as their actor, but an event's id as their cause.
        timers = [(line, line["by"].partition("timer:")[2]) for line in owner.lines]
        for line in (line for line, timer in timers if timer and line["cause"].startswith(f"{owner.id}/{timer}/")):
            due = datetime.fromisoformat(line["cause"].rpartition("/")[2])
            if line["at"] < due:
                faults.append(f"8: {line['cause']} fired at {line['at']}, before it was due")
        if owner.due_at is not None and owner.due_at <= world.read_at:
            faults.append(f"8: {owner.id} was due at {owner.due_at} and did not fire")
    return Verdict(8, len(world.stored), faults)
