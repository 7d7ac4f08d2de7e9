"""The score: bounded, symmetric, explained to the last point; each hard filter alone refuses a pair."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.matching.tests.matching_builders import INVESTOR, NOW, SPONSOR, a_listing, a_mandate, a_project, yuan

from contracts.texts import LANGUAGES, catalogue, text
from matching.domain import criteria, sectors
from matching.domain.listing import Closed, Status
from matching.domain.score import MINIMUM_SCORE, Fit, NotAPair, Refused, judge
from matching.domain.terms import MandateTerms, Money, ProjectTerms, offered_facets, wanted_facets
from matching.reference_data import load_reference

REFERENCE = load_reference()

_SECTORS = ("A", "C", "D", "35", "351", "3510", "3520", "2910", "29", "12", "nonsense", "")
_COUNTRIES = ("CN", "KZ", "UZ", "RU", "IR")
_INSTRUMENTS = ("equity", "debt", "joint_venture", "ppp", "technology")
_TITLES = ("", "光伏电站", "Солнечная электростанция", "Solar park and wind farm", "Цементный завод", "cement")
_LANGUAGES = ("zh", "ru", "en")

_percent = st.none() | st.decimals(min_value=-50, max_value=200, places=2)
_money = st.builds(
    Money,
    st.decimals(min_value=-10, max_value=10**12, places=2),
    st.sampled_from(("CNY", "KZT", "USD", "XXX")),
)
_projects = st.builds(
    ProjectTerms,
    title=st.sampled_from(_TITLES),
    country=st.sampled_from(_COUNTRIES),
    sector=st.sampled_from(_SECTORS),
    stage=st.sampled_from(("idea", "construction")),
    sought=_money,
    instruments=st.lists(st.sampled_from(_INSTRUMENTS), max_size=3, unique=True).map(tuple),
    stake_percent=_percent,
    expected_return_percent=_percent,
    languages=st.lists(st.sampled_from(_LANGUAGES), unique=True).map(tuple),
    kind=st.just("project"),
)


def _some(values: Any) -> Any:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


_mandates = st.builds(
    MandateTerms,
    title=st.sampled_from(_TITLES),
    ticket_min=_money,
    ticket_max=_money,
    sectors=_some(_SECTORS),
    countries=_some(_COUNTRIES),
    instruments=_some(_INSTRUMENTS),
    excluded_sectors=_some(_SECTORS),
    excluded_countries=_some(_COUNTRIES),
    stake_min_percent=_percent,
    stake_max_percent=_percent,
    return_floor_percent=_percent,
    stages=_some(("idea", "construction")),
    languages=_some(_LANGUAGES),
    kind=st.just("mandate"),
)


def verdict(project: Any = None, mandate: Any = None, **project_overrides: Any) -> Any:
    return judge(
        a_listing(project or a_project(), **project_overrides),
        a_listing(mandate or a_mandate()),
        now=NOW,
        reference=REFERENCE,
    )


def test_a_good_pair_scores_high_and_explains_every_point() -> None:
    fit = verdict()
    assert isinstance(fit, Fit)
    assert {reason.code: reason.points for reason in fit.reasons} == {
        "matching.sector.covered": 30,
        "matching.ticket.whole": 20,
        "matching.geography.named": 15,
        "matching.instrument.shared": 9,
        "matching.stake.inside": 6,
        "matching.return.enough": 10,
        "matching.stage.entered": 5,
        "matching.words.shared": 5,
    }
    assert fit.score == 100
    assert fit.missed == ()


@given(_projects, _mandates)
def test_the_score_is_bounded_and_the_sum_of_its_reasons(project: Any, mandate: Any) -> None:
    found = judge(a_listing(project), a_listing(mandate), now=NOW, reference=REFERENCE)
    if isinstance(found, Fit):
        assert MINIMUM_SCORE <= found.score <= 100
        assert found.score == sum(reason.points for reason in found.reasons)
        assert all(0 < reason.points <= reason.weight for reason in found.reasons)
        assert sum(reason.weight for reason in found.reasons) <= 100


@given(_projects, _mandates)
def test_the_order_of_the_two_does_not_matter(project: Any, mandate: Any) -> None:
    one, other = a_listing(project), a_listing(mandate)
    assert judge(one, other, now=NOW, reference=REFERENCE) == judge(other, one, now=NOW, reference=REFERENCE)


@given(_projects, _mandates)
def test_the_order_within_the_terms_does_not_matter(project: Any, mandate: Any) -> None:
    turned = replace(
        mandate,
        sectors=mandate.sectors[::-1],
        countries=mandate.countries[::-1],
        instruments=mandate.instruments[::-1],
    )
    assert verdict(project, mandate) == verdict(project, turned)


@given(_projects, _mandates)
def test_the_index_finds_every_pair_that_fits(project: Any, mandate: Any) -> None:
    if isinstance(verdict(project, mandate), Fit):
        assert set(wanted_facets(project)) & set(offered_facets(mandate))
        assert set(wanted_facets(mandate)) & set(offered_facets(project))


def test_two_listings_of_one_kind_are_no_pair() -> None:
    with pytest.raises(NotAPair):
        judge(a_listing(a_project()), a_listing(a_project(), reference="R-2"), now=NOW, reference=REFERENCE)


@pytest.mark.parametrize(
    ("reason", "project", "mandate", "listing"),
    [
        ("party_suspended", {}, {}, {"status": Status.CLOSED, "closed_for": Closed.SUSPENDED}),
        ("party_unknown", {}, {}, {"status": Status.CLOSED, "closed_for": Closed.UNKNOWN}),
        ("waiting", {}, {}, {"status": Status.WAITING}),
        ("expired", {"expires_at": NOW}, {}, {}),
        ("expired", {}, {"expires_at": NOW - timedelta(days=1)}, {}),
        ("self", {}, {}, {"firm": INVESTOR}),
        ("self", {}, {}, {"enterprise_id": str(INVESTOR)}),
        ("country", {"country": "RU"}, {}, {}),
        ("country_excluded", {"country": "IR"}, {"countries": ()}, {}),
        ("sector_excluded", {"sector": "1200"}, {}, {}),
        ("instrument", {"instruments": ("technology",)}, {}, {}),
        ("ticket", {"sought": yuan(4_999_999)}, {}, {}),
        ("ticket", {"sought": yuan(0)}, {"ticket_min": yuan(0)}, {}),
        ("ticket", {}, {"ticket_min": yuan(10), "ticket_max": yuan(9)}, {}),
        ("currency", {"sought": Money(Decimal(1), "XTS")}, {}, {}),
    ],
)
def test_each_hard_filter_refuses_alone(reason: Any, project: Any, mandate: Any, listing: Any) -> None:
    assert isinstance(verdict(), Fit)
    refused = verdict(a_project(**project), a_mandate(**mandate), **listing)
    assert isinstance(refused, Refused)
    assert refused.reason == reason


def test_sums_of_different_currencies_are_compared() -> None:
    # 370,370,370.37 tenge are 5,000,000 yuan at 0.0135.
    enough, little = Money(Decimal("370370371"), "KZT"), Money(Decimal("370370370"), "KZT")
    assert isinstance(verdict(a_project(sought=enough)), Fit)
    assert verdict(a_project(sought=little)) == Refused("ticket", ())


def test_a_ticket_that_covers_part_of_the_sum_gives_part_of_the_points_and_is_reported() -> None:
    fit = verdict(a_project(sought=yuan(200_000_000)))
    assert isinstance(fit, Fit)
    (ticket,) = (reason for reason in fit.reasons if reason.code == "matching.ticket.part")
    assert (ticket.points, dict(ticket.parameters)["percent"]) == (5, "25")
    assert "matching.ticket.missed" in {missed.code for missed in fit.missed}


def test_a_pair_below_the_minimum_score_is_no_match() -> None:
    project = a_project(sector="A", stake_percent=Decimal(80), expected_return_percent=None, stage="idea", title="")
    refused = verdict(project, a_mandate(countries=(), ticket_max=yuan(6_000_000)))
    assert isinstance(refused, Refused)
    assert refused.reason == "score"


def test_a_missing_common_language_is_reported() -> None:
    fit = verdict(a_project(languages=("ru",)), a_mandate(languages=("zh",)))
    assert isinstance(fit, Fit)
    assert "matching.language.missed" in {missed.code for missed in fit.missed}


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("C", ("C",)),
        ("29", ("C", "29")),
        ("2910", ("C", "29", "291", "2910")),
        ("0111", ("A", "01", "011", "0111")),
        ("04", ()),
        ("Z", ()),
        ("1", ()),
        ("29101", ()),
        ("", ()),
        ("२९", ()),
    ],
)
def test_the_path_of_a_sector(code: Any, path: Any) -> None:
    assert sectors.path(code) == path


def test_sectors_are_as_near_as_the_levels_they_share() -> None:
    assert [sectors.common_depth("3510", other) for other in ("3510", "3511", "3520", "D", "C")] == [4, 3, 2, 1, 0]
    assert sectors.covers("D", "3510")
    assert not sectors.covers("3510", "D")


def test_terms_are_found_in_three_languages() -> None:
    of = REFERENCE.terms.of
    assert of("光伏电站") == of("Солнечная электростанция") == of("Solar park") == {"solar"}


def _emitted() -> Any:
    """Every code of the criteria with its parameters, from pairs that provoke all of them."""
    seen: dict[str, set[str]] = {}
    for project in (
        a_project(),
        a_project(stake_percent=None, expected_return_percent=None, stage="idea", title="", languages=("ru",)),
        a_project(
            sector="3520", sought=yuan(200_000_000), stake_percent=Decimal(80), expected_return_percent=Decimal(1)
        ),
    ):
        for mandate in (
            a_mandate(),
            a_mandate(countries=(), stages=(), return_floor_percent=None, sectors=("351",), languages=("zh",)),
        ):
            fit = criteria
            rates, terms = REFERENCE.rates, REFERENCE.terms
            for points in (
                fit.sector(project, mandate),
                fit.ticket(project, mandate, rates),
                fit.geography(project, mandate),
                fit.instrument(project, mandate),
                fit.stake(project, mandate),
                fit.expected_return(project, mandate),
                fit.stage(project, mandate),
                fit.words(project, mandate, terms),
                fit.language(project, mandate),
            ):
                said: list[criteria.Reason | criteria.Missed] = [*points.reasons, *points.missed]
                for each in said:
                    seen[each.code] = {name for name, _ in each.parameters}
    return seen


def test_every_code_has_a_text_that_its_parameters_fill() -> None:
    emitted = _emitted()
    known = {code for code in catalogue() if code.startswith("matching.") and ".withdrawn." not in code}
    assert set(emitted) == known
    for code, names in emitted.items():
        for language in LANGUAGES:
            wanted = {field for _, field, _, _ in Formatter().parse(catalogue()[code][language]) if field}
            assert wanted <= names, (code, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_text(language: Any) -> None:
    refusals = [
        verdict(a_project(**project), a_mandate(**mandate), **listing)
        for _, project, mandate, listing in test_each_hard_filter_refuses_alone.pytestmark[0].args[1]
    ]
    for refused in refusals:
        assert text(f"matching.withdrawn.{refused.reason}", language, **dict(refused.parameters))


def test_sponsor_and_investor_of_the_builders_differ() -> None:
    assert SPONSOR != INVESTOR
