"""Orders a shipment's events, independent of their order of arrival.

Invariant: the timeline depends only on the set of entries. Repeats merge into one step; an entry with
the same id and other content is shown as a conflict of the first. A cause comes before its effect, and
an aggregate's events are in their sequence; otherwise events are ordered by time.
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
    """One event of the timeline, with its conflicts and its retraction."""

    entry: Entry
    conflicts: tuple[Entry, ...] = ()
    """Entries with the same id and other content."""
    retracted_by: str = ""
    """Id of the event by which its publisher retracted it."""


def timeline(entries: Iterable[Entry]) -> tuple[Step, ...]:
    """The steps in order; the same for any order and any repeats of `entries`."""
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
    """The ids of a shipment by kind."""
    found: dict[Term, set[str]] = defaultdict(set)
    for entry in entries:
        for kind, value in entry.terms:
            found[kind].add(value)
    return {kind: frozenset(values) for kind, values in found.items()}


def belongs(entry: Entry, own: dict[Term, frozenset[str]], causes: frozenset[str]) -> bool:
    """Whether an event without a UCR is about the shipment.

    It is if it caused one of the shipment's events, or if its references match. If it has a payment reference, only
    that is compared; else, if it has a declaration number, only that, because one transfer may pay for several
    shipments, each named in a separate event. An event with neither matches by bank and bank reference, or by
    container and transport document together. A container alone is not enough, because it is reused; a bank
    reference without the bank is not enough either.
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
    """Ids by time, each after its cause and after its aggregate's earlier events."""
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
    return _topological_order(by_id, after)


def _topological_order(by_id: dict[str, Entry], after: dict[str, set[str]]) -> list[str]:
    """Topological order with time as the tie-break; entries in a cycle come last, by time."""
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
