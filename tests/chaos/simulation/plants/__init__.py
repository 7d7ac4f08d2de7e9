"""Ways to break the core, each planted by putting one small piece in the place of another.

`expected` names the invariants that must go red. A plant that stays green means that the checker, or the
schedule, is wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from chaos.simulation.plants import delivering, publishing, saving
from chaos.simulation.plants.pieces import Pieces


@dataclass(frozen=True, slots=True)
class Plant:
    """One way to break the core."""

    expected: frozenset[int]
    pieces: Callable[[], Pieces]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The core is broken meanwhile."""
        with ExitStack() as stack:
            for owner, name, piece in self.pieces():
                stack.callback(setattr, owner, name, owner.__dict__[name])
                setattr(owner, name, piece)
            yield


def planted(name: str) -> AbstractContextManager[None]:
    """Break the core in one of the ways of `PLANTS`; empty: leave it whole."""
    return PLANTS[name].planted() if name else nullcontext()


def _plant(pieces: Callable[[], Pieces], *expected: int) -> Plant:
    return Plant(frozenset(expected), pieces)


PLANTS: Mapping[str, Plant] = {
    "offset before save": _plant(delivering.offset_before_save, 7),
    "two commits on their way": _plant(delivering.commits_side_by_side, 10),
    "a rest never ends": _plant(delivering.rest_never_ends, 10),
    "publish before save": _plant(publishing.publish_before_save, 2),
    "save without outbox": _plant(publishing.no_outbox, 2),
    "trim before acknowledgement": _plant(publishing.trim_before_acknowledgement, 2),
    "two in flight per document": _plant(publishing.two_in_flight, 2),
    "a new event id for each attempt": _plant(publishing.new_id_for_each_attempt, 2),
    "unsent events not swept": _plant(publishing.not_swept, 10),
    "trace dropped in the outbox": _plant(publishing.trace_dropped, 9),
    "watermark instead of identity": _plant(lambda: saving.read_with(saving.Watermark), 3, 5),
    "nothing remembered": _plant(lambda: saving.read_with(lambda _: {}), 3, 5),
    "save without compare": _plant(saving.save_without_compare, 2),
    "token ignored": _plant(saving.token_ignored, 3),
    "bulk count trusted": _plant(saving.count_trusted, 3),
    "state not saved with its events": _plant(saving.state_not_saved, 5),
    "remembered though it was not saved": _plant(saving.remembered_unsaved, 2),
    "history cut before it is copied": _plant(saving.cut_before_copy, 2),
    "redrive out of order": _plant(delivering.redrive_out_of_order, 4),
    "later delivery overtakes a parked one": _plant(delivering.overtakes_parked, 4),
    "parked target blocks a neighbour": _plant(delivering.blocks_neighbours, 4),
    "park without lock": _plant(delivering.park_without_lock, 4),
    "lock released without compare": _plant(delivering.release_without_compare, 4),
    "unreadable record dropped": _plant(delivering.poison_dropped, 3, 7),
    "timer without the offset rule": _plant(publishing.no_offset_rule, 8),
    "timer fires early": _plant(publishing.fires_early, 8),
    "timer fires twice": _plant(publishing.fires_twice, 8),
    "event ids reused after a restore": _plant(saving.nothing_folded, 2),
    "inputs not read again after a loss": _plant(saving.inputs_not_read_again, 3),
    "sent without a claim": _plant(publishing.send_without_claim, 6),
    "repeat under another id": _plant(publishing.another_id_for_each_send, 6),
    "door forgets the command's id": _plant(delivering.door_without_identity, 1),
}
