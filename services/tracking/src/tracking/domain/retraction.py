"""Statements of partners and their retractions.

A statement is identified by (publisher, source, id): two sources of one publisher may use the same id. A
retraction names a statement of its own publisher, and applies to every row of that statement: the
partner's own row and the row that notes it. A retraction is final. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.domain.entry import Entry
from tracking.domain.facts import part_of, text_of


@dataclass(frozen=True, slots=True)
class Statement:
    """The identity of a partner's statement."""

    publisher: str
    source: str
    """Empty if the event does not give it: then publisher and id identify the statement."""
    id: str

    def is_the_same_as(self, other: "Statement") -> bool:
        """Whether both are the same statement; sources are compared only if both have one."""
        known = self.source and other.source
        return (self.publisher, self.id) == (other.publisher, other.id) and (not known or self.source == other.source)


def statement_of(facts: Mapping[str, Any]) -> Statement | None:
    """The statement that a payload makes; None if it makes none or is a retraction."""
    return None if text_of(facts, "retracts") else _statement(facts, text_of(facts, "submission_id"), _source(facts))


def retracted_statement(facts: Mapping[str, Any]) -> Statement | None:
    """The statement that a payload retracts. Without a source it means the retraction's own source."""
    return _statement(facts, text_of(facts, "retracts"), text_of(facts, "retracts_source") or _source(facts))


def retractions(entries: Iterable[Entry]) -> dict[str, str]:
    """Event id → id of the event that retracts it, preferring the partner's own event to the one that notes it.

    A retraction noted as without effect retracts nothing.
    """
    listed = list(entries)
    void = _without_effect(listed)
    statements: dict[tuple[str, str], list[tuple[Statement, str]]] = defaultdict(list)
    takers: list[tuple[Statement, Entry]] = []
    for entry in listed:
        if (statement := statement_of(entry.facts)) is not None:
            statements[statement.publisher, statement.id].append((statement, entry.id))
        if (
            (target := retracted_statement(entry.facts)) is not None
            and entry.id not in void
            and entry.cause not in void
        ):
            takers.append((target, entry))
    found: dict[str, str] = {}
    for target, taker in sorted(takers, key=lambda each: (not each[1].name.startswith("partners."), each[1].id)):
        for statement, id_ in statements[target.publisher, target.id]:
            if statement.is_the_same_as(target):
                found.setdefault(id_, taker.id)
    return found


def _without_effect(entries: Iterable[Entry]) -> set[str]:
    """Ids of partners' events whose last note says that they have no effect."""
    noted = [each for each in entries if each.name == "declarations.declaration.partner_event_noted"]
    last = {text_of(each.facts, "event_id"): each for each in sorted(noted, key=lambda each: each.sequence)}
    return {id_ for id_, each in last.items() if id_ and text_of(each.facts, "without_effect")}


def _statement(facts: Mapping[str, Any], id_: str, source: str) -> Statement | None:
    publisher = text_of(facts, "publisher")
    return Statement(publisher, source, id_) if publisher and id_ else None


def _source(facts: Mapping[str, Any]) -> str:
    return text_of(facts, "submission_source") or text_of(part_of(facts, "receipt"), "source")
