"""Claims in force: those with effect that were not retracted by publisher, source and id."""

from typing import Any

import pytest
from services.declarations.tests.declaration_builders import a_claim

from declarations.domain.claims import Kind, WithoutEffect, in_force

PORT_A, PORT_B = "/port/terminal-a", "/port/terminal-b"


def gate_in(source: str | None) -> Any:
    return a_claim(Kind.GATE_IN, "p1", submission_source=source)


def retraction(source: str | None, names: str | None = None) -> Any:
    return a_claim(
        Kind.GATE_IN, "sorry", retracts="p1", submission_source=source, retracts_source=names, event_id="E-sorry"
    )


def test_the_same_id_of_another_source_is_another_event():
    one, other = gate_in(PORT_A), a_claim(Kind.GATE_OUT, "p1", submission_source=PORT_B, event_id="E-other")
    assert in_force((one, other, retraction(PORT_A))) == (other,)


def test_a_retraction_may_name_the_source_of_the_retracted_event():
    one = gate_in(PORT_A)
    assert in_force((one, retraction(PORT_B))) == (one,)
    assert in_force((one, retraction(PORT_B, names=PORT_A))) == ()


@pytest.mark.parametrize(("source", "retracting"), [(None, PORT_A), (PORT_A, None), (None, None)])
def test_an_event_from_before_sources_is_retracted_by_id(source, retracting):
    assert in_force((gate_in(source), retraction(retracting))) == ()


def test_a_claim_without_effect_is_not_in_force_and_retracts_nothing():
    one, stranger = gate_in(PORT_A), a_claim(Kind.GATE_OUT, "p2", without_effect=WithoutEffect.NOT_CONCERNED)
    assert in_force((one, stranger)) == (one,)
    void = a_claim(Kind.GATE_IN, "sorry", retracts="p1", without_effect=WithoutEffect.NOT_CONCERNED)
    assert in_force((one, void)) == (one,)
