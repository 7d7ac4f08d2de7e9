"""The targets of an event in each group, derived from its bytes and from stored data.

Some targets depend on the database's content when the event arrived: the declarations of a shipment, the listings of a
firm. Such a target counts only if it certainly existed: the broker had an event of it before this one.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chaos.judging.invariants import money
from chaos.judging.invariants.ends import Ends
from chaos.judging.invariants.matchmaking import of_listings, of_matches
from chaos.judging.invariants.notices import intents
from chaos.judging.world import Said

from contracts.topics import DECLARATIONS, EVENT_TOPICS, MATCHING, PARTNERS, REGISTRY
from gateway.outcomes.declarations import SHOWN_EVENTS

LODGED = "trade.gateway.declaration.submitted.v1"
INBOX = "inbox."
"""Prefix of the names of the partners' own topics."""
TOLD_BY_DOORS = {"gateway", "registry"}
"""Services whose input comes only from doors: the causes of their events are on no topic."""
COMMAND = "command/"
"""Prefix of the cause of a staff command."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group."""

    topics: tuple[str, ...]
    unresolved: Callable[[Ends, Said], Iterator[str]]
    """The targets of an event that have not resolved it. Raises ValueError or KeyError if it is unreadable."""
    inboxes: bool = False
    """Whether it reads the partners' own topics too."""

    def reads(self, topic: str) -> bool:
        return topic in self.topics or (self.inboxes and topic.startswith(INBOX))


def _of_declarations(ends: Ends, said: Said) -> Iterator[str]:
    if said.topic == DECLARATIONS.name:
        yield from (each for each in _of_own(ends, said) if not ends.resolved("declarations", said, each))
    if said.envelope.type == LODGED and not ends.resolved_somewhere("declarations", said):
        yield "its declaration"
    if said.topic == PARTNERS.name:
        if said.envelope.id not in ends.world.kept and not ends.parked("declarations", said):
            yield "those that are kept"
        yield from (
            target
            for target, first in _of_shipment(ends, said).items()
            if first is not None and first < said.at and not ends.resolved("declarations", said, target)
        )


def _of_own(ends: Ends, said: Said) -> Iterator[str]:
    """The targets of one of its own events: a declaration that gets a share, an account that existed before."""
    if said.envelope.type == money.ALLOCATED:
        yield json.loads(said.data)["declaration_id"]
    elif news := money.account_of_news(said):
        account, must_be_there = news
        first = ends.first_at(account)
        if must_be_there or (first is not None and first < said.at):
            yield account


def _of_shipment(ends: Ends, said: Said) -> Mapping[str, int | None]:
    """The targets of a partner event with only a UCR, and since when each could be found."""
    if money.is_payment(said):
        account = money.account_of_report(said)
        return {account: 0} if account else {}
    payload = json.loads(said.data)
    references = payload["references"]
    if payload["classifier"] != "ACT" or references.get("declaration_number"):
        return {}
    concerned = ends.declarations_of.get(references.get("ucr") or "-", ())
    return {each.id: ends.first_at(each.id) for each in concerned}


def _of_matching(ends: Ends, said: Said) -> Iterator[str]:
    if said.topic == MATCHING.name:
        targets = of_matches(ends, said)
    elif said.topic == REGISTRY.name:
        targets = of_listings(ends, said)
    else:
        wanted = said.envelope.type.startswith(("trade.gateway.project.", "trade.gateway.mandate."))
        if wanted and not ends.resolved_somewhere("matching", said):
            yield "its listing"
        return
    yield from (target for target in targets if not ends.resolved("matching", said, target))


def _of_notifications(ends: Ends, said: Said) -> Iterator[str]:
    yield from (each.id for each in intents(said) if not ends.resolved("notifications", said, each.id))


def _of_gateway(ends: Ends, said: Said) -> Iterator[str]:
    target = said.envelope.subject
    shown = said.envelope.type not in SHOWN_EVENTS or (target, said.envelope.id) in ends.world.shown
    if not shown and not ends.parked("gateway", said):
        yield target


def _of_tracking(ends: Ends, said: Said) -> Iterator[str]:
    if said.envelope.id not in ends.world.told and not ends.set_aside("tracking", said.position):
        yield "a timeline"


def _topics(service: str) -> tuple[str, ...]:
    return tuple(topic.name for topic in EVENT_TOPICS if service in topic.readers)


GROUPS: Mapping[str, Group] = {
    "declarations": Group(_topics("declarations"), _of_declarations),
    "matching": Group(_topics("matching"), _of_matching),
    "notifications": Group(_topics("notifications"), _of_notifications),
    "gateway": Group(_topics("gateway"), _of_gateway, inboxes=True),
    "tracking": Group(_topics("tracking"), _of_tracking),
}
"""Every service that reads a topic."""
