"""Contracts and domain name the same things: what is added to one of them and forgotten in the other is seen here."""

from dataclasses import fields

import pytest

from contracts.declarations import v1
from contracts.examples import example
from contracts.partners import v1 as partners_v1
from declarations.domain import events
from declarations.messages import claim, kind_of

ENVELOPE = set(v1.DeclarationFact.model_fields)
"""What every fact repeats; the domain's events leave it out."""


@pytest.mark.parametrize("type_", v1.EVENTS)
def test_an_event_and_its_contract_have_the_same_fields(type_):
    payload = v1.EVENTS[type_]
    published = {name for name in payload.model_fields if name not in ENVELOPE}
    own = {field.name for field in fields(getattr(events, payload.__name__))} - ENVELOPE
    assert own == published


@pytest.mark.parametrize("type_", partners_v1.EVENTS)
def test_every_partner_event_is_understood(type_):
    said = partners_v1.EVENTS[type_].model_validate(example(partners_v1.EVENTS[type_]))
    command = claim("PE-1/0.1", type_, said)
    assert command.claim.kind is kind_of(type_)


@pytest.mark.parametrize("type_", partners_v1.EVENTS)
def test_nothing_that_a_partner_says_is_lost_on_the_way_to_the_topic(type_):
    """A claim is published as `partner_event_noted`, from which the state is rebuilt."""
    said = set(partners_v1.EVENTS[type_].model_fields) - {"classifier", "references", "receipt", "received_at"}
    assert said <= set(v1.PartnerEventNoted.model_fields)
