"""What a partner says under an id of its own, and which of it was taken back.

A statement is known by (publisher, source, id): two sources of one publisher may use the same id. A
retraction names a statement of its own publisher; it takes back every row that carries the statement,
the partner's own as well as the one that says that it was noted. A retraction itself is final. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracking.domain.entry import Entry
from tracking.domain.facts import part_of, text_of


@dataclass(frozen=True, slots=True)
class Statement:
    """The name of something that a partner said."""

    publisher: str
    source: str
    """Empty where the event does not tell it: then publisher and id decide."""
    id: str

    def is_the_same_as(self, other: "Statement") -> bool:
        """Whether both name one statement, as far as both tell."""
        known = self.source and other.source
        return (self.publisher, self.id) == (other.publisher, other.id) and (not known or self.source == other.source)


def said(facts: Mapping[str, Any]) -> Statement | None:
    """What a payload states in a partner's name; None where it states nothing, or takes something back."""
    return None if text_of(facts, "retracts") else _statement(facts, text_of(facts, "submission_id"), _source(facts))


def taken_back(facts: Mapping[str, Any]) -> Statement | None:
    """What a payload takes back. Where it names no source, it speaks of its own."""
    return _statement(facts, text_of(facts, "retracts"), text_of(facts, "retracts_source") or _source(facts))


def retractions(entries: Iterable[Entry]) -> dict[str, str]:
    """Event id → id of the event that takes it back: the partner's own before the one that notes it.

    A retraction that was noted as one without effect takes nothing back.
    """
    listed = list(entries)
    void = _without_effect(listed)
    statements: dict[tuple[str, str], list[tuple[Statement, str]]] = defaultdict(list)
    takers: list[tuple[Statement, Entry]] = []
    for entry in listed:
        if (statement := said(entry.facts)) is not None:
            statements[statement.publisher, statement.id].append((statement, entry.id))
        if (target := taken_back(entry.facts)) is not None and entry.id not in void and entry.cause not in void:
            takers.append((target, entry))
    found: dict[str, str] = {}
    for target, taker in sorted(takers, key=lambda each: (not each[1].name.startswith("partners."), each[1].id)):
        for statement, id_ in statements[target.publisher, target.id]:
            if statement.is_the_same_as(target):
                found.setdefault(id_, taker.id)
    return found


def _without_effect(entries: Iterable[Entry]) -> set[str]:
    """Ids of partners' events that were noted as without effect, as they were noted last."""
    noted = [each for each in entries if each.name == "declarations.declaration.partner_event_noted"]
    last = {text_of(each.facts, "event_id"): each for each in sorted(noted, key=lambda each: each.sequence)}
    return {id_ for id_, each in last.items() if id_ and text_of(each.facts, "without_effect")}


def _statement(facts: Mapping[str, Any], id_: str, source: str) -> Statement | None:
    publisher = text_of(facts, "publisher")
    return Statement(publisher, source, id_) if publisher and id_ else None


def _source(facts: Mapping[str, Any]) -> str:
    return text_of(facts, "submission_source") or text_of(part_of(facts, "receipt"), "source")
