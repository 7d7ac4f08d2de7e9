"""The order in which a shipment's events are shown, whatever order they came in.

Invariant: the timeline depends on the set of entries alone. Repeats fold into one step; the same
id with other content is kept beside the first as a conflict. A cause stands before its effect and
an aggregate's events stand in their sequence; beyond that, time decides.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tracking.domain.entry import Entry, Term
from tracking.domain.retraction import retractions

_Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the timeline, with what contradicts it and what takes it back."""

    entry: Entry
    conflicts: tuple[Entry, ...] = ()
    """Other contents that came under the same id."""
    retracted_by: str = ""
    """Id of the event with which its publisher took it back."""


def timeline(entries: Iterable[Entry]) -> tuple[Step, ...]:
    """The steps in order: the same for any order and any repeats of `entries`."""
    versions: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        known = versions[entry.id].get(entry.hash)
        if known is None or _place(entry) < _place(known):
            versions[entry.id][entry.hash] = entry
    ranked = {id_: sorted(each.values(), key=_place) for id_, each in versions.items()}
    taken_back = retractions([each[0] for each in ranked.values()])
    steps = {id_: Step(each[0], tuple(each[1:]), taken_back.get(id_, "")) for id_, each in ranked.items()}
    return tuple(steps[id_] for id_ in _order([each.entry for each in steps.values()]))


def references(entries: Iterable[Entry]) -> dict[Term, frozenset[str]]:
    """The ids under which a shipment is spoken of, by kind."""
    found: dict[Term, set[str]] = defaultdict(set)
    for entry in entries:
        for kind, value in entry.terms:
            found[kind].add(value)
    return {kind: frozenset(values) for kind, values in found.items()}


def belongs(entry: Entry, own: dict[Term, frozenset[str]], causes: frozenset[str]) -> bool:
    """Whether an event that names no UCR is about the shipment.

    It is if one of the shipment's events was caused by it, or by its references. A payment reference decides alone,
    else a declaration number: one transfer may pay for several shipments, each named in an event of its own. What
    names neither belongs by the bank's payment, or by container and transport document together. A container alone
    is not enough: it travels again; nor is a bank's reference without the bank.
    """
    if entry.id in causes:
        return True
    said = references([entry])

    def shared(kind: Term) -> bool:
        return bool(said.get(kind, frozenset()) & own.get(kind, frozenset()))

    for kind in (Term.PAYMENT_REFERENCE, Term.DECLARATION_NUMBER):
        if said.get(kind):
            return shared(kind)
    return shared(Term.BANK_PAYMENT) or (shared(Term.CONTAINER) and shared(Term.TRANSPORT_DOCUMENT))


def _place(entry: Entry) -> tuple[str, int, int, str]:
    return entry.position.topic, entry.position.partition, entry.position.offset, entry.hash


def _time_key(entry: Entry) -> _Key:
    return entry.stated_at.isoformat(), entry.subject, entry.sequence, entry.id


def _order(entries: Sequence[Entry]) -> list[str]:
    """Ids by time, each behind its cause and behind its aggregate's earlier events."""
    by_id = {entry.id: entry for entry in entries}
    after: dict[str, set[str]] = {entry.id: set() for entry in entries}
    for entry in entries:
        if entry.cause in by_id and entry.cause != entry.id:
            after[entry.id].add(entry.cause)
    chains: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.sequence > 0:
            chains[entry.source, entry.subject].append(entry)
    for chain in chains.values():
        chain.sort(key=lambda each: (each.sequence, each.id))
        for earlier, later in pairwise(chain):
            after[later.id].add(earlier.id)
    return _sorted_behind(by_id, after)


def _sorted_behind(by_id: dict[str, Entry], after: dict[str, set[str]]) -> list[str]:
    """Topological order with time as the tie-break; what stands in a circle follows by time."""
    followers: dict[str, list[str]] = defaultdict(list)
    for id_, earlier in after.items():
        for each in earlier:
            followers[each].append(id_)
    waiting = {id_: len(earlier) for id_, earlier in after.items()}
    ready = [(_time_key(by_id[id_]), id_) for id_, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, id_ = heapq.heappop(ready)
        order.append(id_)
        for follower in followers[id_]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, (_time_key(by_id[follower]), follower))
    circle = sorted(set(by_id) - set(order), key=lambda id_: _time_key(by_id[id_]))
    return order + circle
