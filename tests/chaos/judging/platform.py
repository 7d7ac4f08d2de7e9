"""The whole platform, judged by all ten invariants: by what is durable, and by the oracle of what was sent."""

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
        more: further sentences, each beginning with the number of its invariant.
        claims_lost: whether notifications came back older than it was.
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
    """The same verdicts, where every promise was kept.

    Args:
        but: invariants that there was nothing to judge of.

    Raises:
        AssertionError: one was not, or was judged on nothing.
    """
    judged_on = [each for each in verdicts if each.number not in but]
    faults = [fault for each in verdicts for fault in each.faults]
    faults += [f"{each.number}: there was nothing to look at" for each in judged_on if not each.looked_at]
    assert not faults, "\n".join(faults[:20])
    return judged_on
