"""The support desk has a word for every code that can be published; a new code without a word fails here."""

import re
from enum import StrEnum

import pytest

from contracts.declarations.v1 import MainStatus, WithoutEffect
from contracts.events import event_types
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.texts import LANGUAGES, catalogue
from contracts.values import Classifier, PartyRole
from tracking.codes import enumerations_in, name_of
from tracking.domain.decision_table import BEFORE_HOLDS, BEHIND_HOLDS, STEPS
from tracking.domain.declaration import Main
from tracking.domain.entry import Term, fact_name
from tracking.domain.obstacle import Role

TEXTS_OF_THEIR_OWN = {WithoutEffect: "effect", Classifier: "tracking.certainty", MainStatus: "tracking.where"}
"""Enumerations whose words have another prefix."""

NO_WORD_NEEDED = ("ACT",)
"""An actual event needs no word for its certainty."""


def _shown() -> list[type[StrEnum]]:
    """Every enumeration that a row may mention: those in events' fields, and the roles in error texts."""
    found = {
        enumeration
        for event in event_types().values()
        for field in event.payload.model_fields.values()
        for enumeration in enumerations_in(field.annotation)
    }
    return sorted({*found, PartyRole}, key=lambda each: each.__name__)


CODES = [
    f"{TEXTS_OF_THEIR_OWN.get(enumeration, f'tracking.code.{name_of(enumeration)}')}.{member.value}"
    for enumeration in _shown()
    for member in enumeration
    if member.value not in NO_WORD_NEEDED
]


@pytest.mark.parametrize("code", CODES)
def test_every_code_that_a_row_may_mention_has_a_word(code: str) -> None:
    assert code in catalogue()


def test_the_codes_are_those_of_the_contracts() -> None:
    assert len(CODES) > 50
    assert {"tracking.code.case_reason.audit", "effect.not_concerned", "tracking.code.lane.green"} <= set(CODES)


@pytest.mark.parametrize("type_", event_types())
def test_every_event_has_words(type_: str) -> None:
    assert f"tracking.event.{fact_name(type_)}" in catalogue()


@pytest.mark.parametrize("type_", PARTNER_EVENTS)
def test_every_event_of_a_partner_has_words_for_a_plan_and_for_its_kind(type_: str) -> None:
    name = fact_name(type_)
    assert f"tracking.event.{name}.expected" in catalogue()
    assert f"tracking.kind.{name.removeprefix('partners.')}" in catalogue()


ROWS = (*BEFORE_HOLDS, *BEHIND_HOLDS, *STEPS)


@pytest.mark.parametrize(
    "code",
    sorted(
        {
            *(f"waiting.{row.waiting_for}" for row in ROWS),
            *(f"waiting.{each}" for each in ("held", "hold_lift", "case")),
            *(f"failed.{row.failed}" for row in ROWS if row.failed),
            *(f"failed.{each}" for each in ("held", "hold", "case")),
            *(f"detail.{each}" for each in ("documents", "owed", "owed_paid", "owed_reference", "owed_paid_reference")),
            *(f"role.{role}" for role in Role),
            *(f"where.{main}" for main in Main),
        }
    ),
)
def test_every_answer_about_a_shipment_has_words(code: str) -> None:
    assert f"tracking.{code}" in catalogue()


@pytest.mark.parametrize("kind", Term)
def test_every_kind_of_id_that_a_search_finds_has_a_word(kind: Term) -> None:
    assert f"tracking.term.{kind}" in catalogue()


def test_every_notice_and_every_notice_state_has_a_word() -> None:
    templates = {code.removesuffix(".subject") for code in catalogue() if re.fullmatch(r"notice\..*\.subject", code)}
    states = {fact_name(each).rpartition(".")[2] for each in event_types() if ".notifications.notice." in each}
    missing = {f"tracking.template.{each}" for each in templates} | {f"tracking.notice_state.{each}" for each in states}
    assert len(templates) > 5
    assert missing - set(catalogue()) == set()


def test_no_word_is_the_code_itself() -> None:
    bare = {
        (code, language)
        for code, by_language in catalogue().items()
        if code.startswith("tracking.code.") and "_" in code.rpartition(".")[2]
        for language in LANGUAGES
        if by_language[language] == code.rpartition(".")[2]
    }
    assert bare == set()
