"""Judges the whole platform by all ten invariants, from durable data and the oracle of what was sent."""

from collections.abc import Sequence, Set

from chaos.judging.invariants.commands import Sent, commands
from chaos.judging.invariants.deadlines import deadlines
from chaos.judging.invariants.deliveries import deliveries
from chaos.judging.invariants.guard import release
from chaos.judging.invariants.notices import notices
from chaos.judging.invariants.offsets import offsets
from chaos.judging.invariants.order import order
from chaos.judging.invariants.published import published
from chaos.judging.invariants.rest import rest
from chaos.judging.invariants.traces import traces
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World


def judged(world: World, sent: Sequence[Sent], *, more: Sequence[str] = (), claims_lost: bool = False) -> list[Verdict]:
    """Every invariant, of the platform at rest.

    Args:
        more: further faults, each beginning with the number of its invariant.
        claims_lost: whether the database of notifications was restored from an older copy.
    """
    verdicts = [
        commands(world, sent),
        published(world),
        deliveries(world),
        order(world),
        release(world),
        notices(world, claims_lost=claims_lost),
        offsets(world),
        deadlines(world),
        traces(world),
        rest(world),
    ]
    return [
        Verdict(
            each.number, each.looked_at, [*each.faults, *(one for one in more if one.startswith(f"{each.number}:"))]
        )
        for each in verdicts
    ]


def kept(verdicts: Sequence[Verdict], *, but: Set[int] = frozenset()) -> Sequence[Verdict]:
    """The same verdicts, if every invariant holds.

    Args:
        but: invariants without a case to judge.

    Raises:
        AssertionError: one was violated, or had no case to judge.
    """
    judged_on = [each for each in verdicts if each.number not in but]
    faults = [fault for each in verdicts for fault in each.faults]
    faults += [f"{each.number}: there was nothing to look at" for each in judged_on if not each.looked_at]
    assert not faults, "\n".join(faults[:20])
    return judged_on
