"""The whole platform, judged: the checker's sentences by invariant, each with what it looked at."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime

from chaos import checker, core_checks
from chaos.cells import Verdict
from chaos.world import World


def judged(world: World, sent: Sequence[checker.Sent], *, more: Sequence[str] = ()) -> list[Verdict]:
    """Every invariant that the checker knows of the platform at rest.

    Args:
        more: further sentences, each beginning with the number of its invariant.
    """
    found = [*checker.check_all(world, sent, datetime.now(UTC)), *more]
    looked_at = {
        1: len(sent),
        2: len(world.said),
        3: len(world.told),
        5: len(world.of("declarations", "declarations")),
        7: sum(len(partitions) for partitions in world.committed.values()),
        8: len(world.stored),
        9: len(world.said),
        10: len(world.ends),
    }
    if waited := len(core_checks.ever_parked(world)):  # most traffic parks nothing
        looked_at[4] = waited
    return [
        Verdict(number, count, [each for each in found if each.startswith(f"{number}:")])
        for number, count in sorted(looked_at.items())
    ]


def kept(verdicts: Sequence[Verdict], *, but: Set[int] = frozenset()) -> Sequence[Verdict]:
    """The same verdicts, where every promise was kept.

    Args:
        but: invariants that there was nothing to judge of.

    Raises:
        AssertionError: one was not, or was judged on nothing.
    """
    judged_on = [each for each in verdicts if each.number not in but]
    faults = [fault for each in judged_on for fault in each.faults]
    faults += [f"{each.number}: there was nothing to look at" for each in judged_on if not each.looked_at]
    assert not faults, "\n".join(faults[:20])
    return judged_on
