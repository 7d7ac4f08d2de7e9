"""Derives intents from an event: one per recipient and channel; the same event always gives the same intents."""

from collections.abc import Iterable

from chassis.delivery import Event
from contracts.declarations.v1 import DeclarationFact
from contracts.matching.v1 import MatchFact
from contracts.values import PartyRole
from notifications.content import NONE, Content
from notifications.domain.notice import Channel, Intent, notice_id
from notifications.routing import DECLARATION_RULES, MATCH_TEMPLATES, WITHOUT_PAYER, Rule

CHANNELS = (Channel.INBOX, Channel.EMAIL)


class Intents:
    """Derives intents; their Message-IDs are in one mail domain."""

    def __init__(self, mail_domain: str) -> None:
        self._mail_domain = mail_domain

    def of(self, event: Event) -> list[Intent]:
        """The intents of an event; empty if nobody is notified."""
        match event.payload:
            case DeclarationFact() as fact:
                return self._of_declaration(event, fact, DECLARATION_RULES[event.envelope.type])
            case MatchFact() as fact:
                return self._of_match(event, fact)
            case _:
                return []

    def _of_declaration(self, event: Event, fact: DeclarationFact, rule: Rule) -> list[Intent]:
        content = rule.content(fact)
        if content is None:
            return []
        numbers = {
            "ucr": fact.ucr,
            "lrn": fact.lrn,
            "declaration_number": fact.declaration_number or NONE,
            **content.parameters,
        }
        told = Content(numbers, content.points)
        return [
            intent
            for recipient in recipients(fact, rule)
            for intent in self._for(event, recipient, rule.template, told, fact.ucr, fact.declaration_id)
        ]

    def _of_match(self, event: Event, fact: MatchFact) -> list[Intent]:
        template, says = MATCH_TEMPLATES[event.envelope.type]
        content = says(fact)
        intents: dict[str, Intent] = {}
        for side in (fact.project, fact.mandate):
            told = Content({**content.parameters, "reference": side.reference}, content.points)
            for intent in self._for(event, str(side.firm), template, told, None, None):
                intents.setdefault(intent.id, intent)
        return list(intents.values())

    def _for(
        self,
        event: Event,
        recipient: str,
        template: str,
        content: Content,
        ucr: str | None,
        declaration_id: str | None,
    ) -> Iterable[Intent]:
        for channel in CHANNELS:
            id_ = notice_id(event.envelope.id, recipient, channel)
            yield Intent(
                id=id_,
                ucr=ucr,
                declaration_id=declaration_id,
                source_event_id=event.envelope.id,
                source_event_type=event.envelope.type,
                recipient=recipient,
                channel=channel,
                template=template,
                message_id=f"<{id_}@{self._mail_domain}>",
                parameters=content.parameters,
                points=content.points,
            )


def recipients(fact: DeclarationFact, rule: Rule) -> list[str]:
    """The recipients of a fact; an enterprise with several roles appears once."""
    roles = set(rule.recipient_roles)
    if PartyRole.PAYER in roles and all(party.role is not PartyRole.PAYER for party in fact.parties):
        roles.update(WITHOUT_PAYER[fact.direction])
    return list(dict.fromkeys(str(party.identifier) for party in fact.parties if party.role in roles))
