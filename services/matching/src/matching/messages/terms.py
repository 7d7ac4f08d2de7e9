"""Terms of a listing ↔ the gateway's projects and mandates."""

from contracts.gateway.v1 import Instrument, Mandate, Project
from contracts.values import Identifier
from contracts.values import Money as WireMoney
from matching.domain.terms import Firm, MandateTerms, Money, ProjectTerms


def firm_of(identifier: Identifier) -> Firm:
    return identifier.number


def identifier_of(firm: Firm) -> Identifier:
    return Identifier(scheme=firm.scheme, value=firm.value)


def project_terms(project: Project) -> ProjectTerms:
    return ProjectTerms(
        title=project.title,
        country=project.country,
        region=project.region,
        sector=project.sector,
        stage=project.stage,
        sought=_money(project.sought),
        instruments=tuple(each.value for each in project.instruments),
        stake_percent=project.stake_percent,
        expected_return_percent=project.expected_return_percent,
        languages=project.languages,
        expires_at=project.expires_at,
    )


def project_payload(reference: str, terms: ProjectTerms) -> Project:
    return Project(
        reference=reference,
        title=terms.title,
        country=terms.country,
        region=terms.region,
        sector=terms.sector,
        stage=terms.stage,
        sought=_wire_money(terms.sought),
        instruments=tuple(Instrument(each) for each in terms.instruments),
        stake_percent=terms.stake_percent,
        expected_return_percent=terms.expected_return_percent,
        languages=terms.languages,
        expires_at=terms.expires_at,
    )


def mandate_terms(mandate: Mandate) -> MandateTerms:
    return MandateTerms(
        title=mandate.title,
        ticket_min=_money(mandate.ticket_min),
        ticket_max=_money(mandate.ticket_max),
        sectors=mandate.sectors,
        countries=mandate.countries,
        excluded_sectors=mandate.excluded_sectors,
        excluded_countries=mandate.excluded_countries,
        instruments=tuple(each.value for each in mandate.instruments),
        stake_min_percent=mandate.stake_min_percent,
        stake_max_percent=mandate.stake_max_percent,
        return_floor_percent=mandate.return_floor_percent,
        stages=mandate.stages,
        languages=mandate.languages,
        expires_at=mandate.expires_at,
    )


def mandate_payload(reference: str, terms: MandateTerms) -> Mandate:
    return Mandate(
        reference=reference,
        title=terms.title,
        ticket_min=_wire_money(terms.ticket_min),
        ticket_max=_wire_money(terms.ticket_max),
        sectors=terms.sectors,
        countries=terms.countries,
        excluded_sectors=terms.excluded_sectors,
        excluded_countries=terms.excluded_countries,
        instruments=tuple(Instrument(each) for each in terms.instruments),
        stake_min_percent=terms.stake_min_percent,
        stake_max_percent=terms.stake_max_percent,
        return_floor_percent=terms.return_floor_percent,
        stages=terms.stages,
        languages=terms.languages,
        expires_at=terms.expires_at,
    )


def _money(money: WireMoney) -> Money:
    return Money(money.amount, money.currency)


def _wire_money(money: Money) -> WireMoney:
    return WireMoney(amount=money.amount, currency=money.currency)
