"""The support desk has words for everything that can be published: a code that comes without its word fails here."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from contracts.declarations.v1 import WithoutEffect
from contracts.events import event_types
from contracts.partners.v1 import EVENTS as PARTNER_EVENTS
from contracts.texts import LANGUAGES, catalogue
from contracts.values import Classifier
from tracking.codes import enumerations_in, name_of
from tracking.domain.entry import fact_name
from tracking.domain.situation import BEFORE_HOLDS, BEHIND_HOLDS, STEPS, Role
from tracking.domain.standing import Main

TEXTS_OF_THEIR_OWN = {WithoutEffect: "effect", Classifier: "tracking.certainty"}
"""Enumerations whose words stand elsewhere."""

NOT_SHOWN = {"Instrument": "terms of a listing, which stand in the raw event", "ACT": "what happened needs no word"}


def _models(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation, seen)
    for inner in get_args(annotation):
        yield from _models(inner, seen)


def _published() -> list[type[StrEnum]]:
    """Every enumeration that a payload names, however deep it stands."""
    seen = set[type[BaseModel]]()
    found = {
        enumeration
        for event in event_types().values()
        for model in _models(event.payload, seen)
        for field in model.model_fields.values()
        for enumeration in enumerations_in(field.annotation)
    }
    return sorted(found, key=lambda each: each.__name__)


CODES = [
    f"{TEXTS_OF_THEIR_OWN.get(enumeration, f'tracking.code.{name_of(enumeration)}')}.{member.value}"
    for enumeration in _published()
    for member in enumeration
    if enumeration.__name__ not in NOT_SHOWN and member.value not in NOT_SHOWN
]


@pytest.mark.parametrize("code", CODES)
def test_every_code_that_a_contract_knows_has_its_word(code: str) -> None:
    assert code in catalogue()


def test_the_codes_are_those_of_the_contracts() -> None:
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


def test_every_notice_and_every_state_of_one_has_its_word() -> None:
    templates = {code.removesuffix(".subject") for code in catalogue() if re.fullmatch(r"notice\..*\.subject", code)}
    states = {fact_name(each).rpartition(".")[2] for each in event_types() if ".notifications.notice." in each}
    missing = {f"tracking.template.{each}" for each in templates} | {f"tracking.notice_state.{each}" for each in states}
    assert len(templates) > 5
    assert missing - set(catalogue()) == set()


def test_no_word_of_the_desk_is_the_code_itself() -> None:
    bare = {
        (code, language)
        for code, by_language in catalogue().items()
        if code.startswith("tracking.code.") and "_" in code.rpartition(".")[2]
        for language in LANGUAGES
        if by_language[language] == code.rpartition(".")[2]
    }
    assert bare == set()
