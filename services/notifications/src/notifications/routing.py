"""Who is told what: the one table, fact by fact.

A fact that is not listed is told to nobody. Where no payer is named, those who pay are the declarant
and whose declaration it is: the importer of an import, the exporter of an export. Banks, ports and
customs hear of a shipment through the events that they subscribe to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.declarations import v1 as declarations
from contracts.matching import v1 as matching
from contracts.values import Direction, PartyRole, Payload
from notifications import content
from notifications.content import Content

DECLARANT, AGENT, PAYER = PartyRole.DECLARANT, PartyRole.AGENT, PartyRole.PAYER
IMPORTER, EXPORTER, CARRIER = PartyRole.IMPORTER, PartyRole.EXPORTER, PartyRole.CARRIER
CONSIGNEE = PartyRole.CONSIGNEE
PRINCIPAL = (IMPORTER, EXPORTER)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fact of a declaration makes known to whom."""

    fact: str
    told: tuple[PartyRole, ...]
    template: str
    says: Callable[[Any], Content | None]
    """What the text mentions; None where there is nothing to tell."""


WITHOUT_PAYER = {Direction.IMPORT: (DECLARANT, IMPORTER), Direction.EXPORT: (DECLARANT, EXPORTER)}
"""Who pays where no payer is named; never the other side of the trade."""

RULES = (
    Rule("rejected", (DECLARANT, AGENT, *PRINCIPAL), "notice.rejected", content.errors),
    Rule("submission_refused", (DECLARANT,), "notice.submission_refused", content.errors),
    Rule("accepted", (DECLARANT, AGENT, *PRINCIPAL, CARRIER), "notice.accepted", content.accepted),
    Rule("documents_requested", (DECLARANT, AGENT), "notice.documents_requested", content.documents),
    Rule("inspection_ordered", (DECLARANT, AGENT, CARRIER), "notice.inspection_ordered", content.nothing_more),
    Rule("assessed", (PAYER,), "notice.assessed", content.assessed),
    Rule("payment_recorded", (PAYER,), "notice.payment_short", content.payment_short),
    Rule("payment_reversed", (PAYER,), "notice.payment_reversed", content.payment),
    Rule("payment_overdue", (PAYER, DECLARANT), "notice.payment_overdue", content.overdue),
    Rule(
        "payment_overdue_withdrawn",
        (PAYER, DECLARANT),
        "notice.payment_overdue_withdrawn",
        content.overdue_withdrawn,
    ),
    Rule("released", (DECLARANT, *PRINCIPAL, CONSIGNEE, CARRIER), "notice.released", content.nothing_more),
)

DECLARATION_RULES = {f"trade.declarations.declaration.{rule.fact}.v1": rule for rule in RULES}

MATCH_TEMPLATES: dict[str, tuple[str, Callable[[Any], Content]]] = {
    "trade.matching.match.found.v1": ("notice.match_found", content.match_found),
    "trade.matching.match.withdrawn.v1": ("notice.match_withdrawn", content.match_withdrawn),
}
"""Both sides are told of a match."""

DECLARATION_TYPES: dict[str, type[Payload]] = {
    type_: payload for type_, payload in declarations.EVENTS.items() if type_ in DECLARATION_RULES
}
MATCHING_TYPES: dict[str, type[Payload]] = {
    type_: payload for type_, payload in matching.EVENTS.items() if type_ in MATCH_TEMPLATES
}
