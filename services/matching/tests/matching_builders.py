"""Builders of firms, terms and listings; each takes the fields that matter to a test."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from matching.domain.listing import Listing, Status
from matching.domain.terms import Firm, MandateTerms, Money, ProjectTerms, Terms, offered_facets
from matching.messages import listing_id
from values.numbers import read_decimal

SPONSOR = Firm("KZ-BIN", "190540000014")
INVESTOR = Firm("CN-USCC", "91370211MA3TRADE0P")
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def yuan(amount: int | str) -> Money:
    return Money(read_decimal(str(amount)), "CNY")


def a_project(**overrides: Any) -> ProjectTerms:
    terms = ProjectTerms(
        title="Солнечная электростанция в Алматинской области",
        country="KZ",
        sector="3510",
        stage="construction",
        sought=Money(Decimal("1000000000"), "KZT"),
        instruments=("equity", "joint_venture"),
        stake_percent=Decimal("30"),
        expected_return_percent=Decimal("12.5"),
        languages=("ru", "en"),
    )
    return replace(terms, **overrides)


def a_mandate(**overrides: Any) -> MandateTerms:
    terms = MandateTerms(
        title="中亚光伏项目投资",
        ticket_min=yuan(5_000_000),
        ticket_max=yuan(50_000_000),
        sectors=("D", "42"),
        countries=("KZ", "UZ"),
        instruments=("equity", "debt"),
        excluded_sectors=("12",),
        excluded_countries=("IR",),
        stake_min_percent=Decimal("10"),
        stake_max_percent=Decimal("49"),
        return_floor_percent=Decimal("8"),
        stages=("construction", "operating"),
        languages=("zh", "en"),
    )
    return replace(terms, **overrides)


def a_listing(terms: Terms, *, firm: Firm | None = None, reference: str = "R-1", **overrides: Any) -> Listing:
    """An open listing."""
    firm = firm or (SPONSOR if isinstance(terms, ProjectTerms) else INVESTOR)
    listing = Listing(
        id=listing_id(firm, terms.kind, reference),
        firm=firm,
        reference=reference,
        terms=terms,
        status=Status.OPEN,
        enterprise_id=str(firm),
        check=1,
        asked_at=NOW,
        change=2,
        facets=offered_facets(terms),
    )
    return replace(listing, **overrides)
