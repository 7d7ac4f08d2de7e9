"""The routing table: which fact is sent to which parties.

Nobody is notified of a fact that is not listed. If the declaration names no payer, the declarant and
the importer (of an import) or exporter (of an export) are notified instead. Banks, ports and customs
are not notified: they subscribe to events.
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
    """Recipients, template and content of the notices of one fact of a declaration."""

    fact: str
    recipient_roles: tuple[PartyRole, ...]
    template: str
    content: Callable[[Any], Content | None]
    """Extracts the content from the fact; None means that nobody is notified."""


WITHOUT_PAYER = {Direction.IMPORT: (DECLARANT, IMPORTER), Direction.EXPORT: (DECLARANT, EXPORTER)}
"""Recipients in place of the payer if none is named; never the other side of the trade."""

RULES = (
    Rule("rejected", (DECLARANT, AGENT, *PRINCIPAL), "notice.rejected", content.errors),
    Rule("submission_refused", (DECLARANT,), "notice.submission_refused", content.errors),
    Rule("accepted", (DECLARANT, AGENT, *PRINCIPAL, CARRIER), "notice.accepted", content.accepted),
    Rule("documents_requested", (DECLARANT, AGENT), "notice.documents_requested", content.documents),
    Rule("inspection_ordered", (DECLARANT, AGENT, CARRIER), "notice.inspection_ordered", content.no_details),
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
    Rule("released", (DECLARANT, *PRINCIPAL, CONSIGNEE, CARRIER), "notice.released", content.no_details),
)

DECLARATION_RULES = {f"trade.declarations.declaration.{rule.fact}.v1": rule for rule in RULES}

MATCH_TEMPLATES: dict[str, tuple[str, Callable[[Any], Content]]] = {
    "trade.matching.match.found.v1": ("notice.match_found", content.match_found),
    "trade.matching.match.withdrawn.v1": ("notice.match_withdrawn", content.match_withdrawn),
}
"""Templates of match events, which both sides receive."""

DECLARATION_TYPES: dict[str, type[Payload]] = {
    type_: payload for type_, payload in declarations.EVENTS.items() if type_ in DECLARATION_RULES
}
MATCHING_TYPES: dict[str, type[Payload]] = {
    type_: payload for type_, payload in matching.EVENTS.items() if type_ in MATCH_TEMPLATES
}
