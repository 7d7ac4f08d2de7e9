"""Authority: an event has effect only if its publisher's grants match the declaration."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    LAW,
    a_claim,
    a_declaration,
    answer,
    in_lane,
    lodge,
    names,
    run,
)

from declarations.domain.authority import ON_THE_WAY, RULES, judge
from declarations.domain.claims import Kind, WithoutEffect, in_force
from declarations.domain.commands import NoteClaim
from declarations.domain.declaration import Document, Identifier, Location, Party, Role, Transport
from declarations.domain.grants import Grants
from declarations.domain.references import References
from declarations.domain.state import Lane, Status
from values.partner_roles import ROLES, Concern
from values.places import GrantedPlace, Locode
from values.references import DeclarationNumber, TransportDocument

QINGDAO, ALMATY, SHANGHAI = Locode("cn tao"), Locode("KZALA"), Locode("CNSHA")
CARRIER = Identifier("KZ-BIN", "190540000014")
STRANGER = Identifier("KZ-BIN", "850101300015")
NOBODY = Grants()
AT_QINGDAO = Grants(places=(GrantedPlace(QINGDAO),))
HERE = a_declaration(
    transport=Transport(document=TransportDocument("BL-1"), location=Location(QINGDAO, "Qianwan terminal"))
)


def claim(role: str, grants: Grants | None, kind: Kind = Kind.GATE_IN, **changes: Any) -> Any:
    return a_claim(kind, publisher_role=role, grants=grants, **changes)


def counts(said: Any, declaration: Any = HERE) -> bool:
    return judge(said, declaration, LAW.seats) is None


def test_every_kind_of_concern_has_a_rule():
    assert set(RULES) == set(Concern)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "bank"])
def test_an_event_of_a_partner_without_grants_has_no_effect(role):
    assert not counts(claim(role, NOBODY))


@pytest.mark.parametrize("role", ROLES)
def test_an_event_from_before_grants_has_effect_by_its_role_alone(role):
    assert counts(claim(role, None))


@pytest.mark.parametrize("role", ["port", "rail", "customs", "inspection", "agency"])
def test_an_event_has_effect_if_its_place_is_granted_and_the_declaration_has_it(role):
    assert counts(claim(role, AT_QINGDAO))
    assert not counts(claim(role, Grants(places=(GrantedPlace(ALMATY),))))


def test_a_grant_of_a_facility_covers_only_that_facility():
    assert counts(claim("port", Grants(places=(GrantedPlace(QINGDAO, "qianwan  Terminal"),))))
    assert not counts(claim("port", Grants(places=(GrantedPlace(QINGDAO, "Dagang"),))))


@pytest.mark.parametrize("role", ["port", "rail", "customs", "inspection", "agency"])
def test_an_office_has_authority_over_declarations_lodged_with_it(role):
    assert counts(claim(role, Grants(customs_offices=("4258",))))
    assert not counts(claim(role, Grants(customs_offices=("2225",))))


def test_an_office_has_authority_at_its_place():
    assert counts(claim("port", AT_QINGDAO), a_declaration(customs_office="4218"))


def test_a_declaration_without_office_and_place_belongs_to_the_home_office():
    bare = a_declaration(customs_office=None)
    assert counts(claim("port", AT_QINGDAO), bare)
    assert counts(claim("customs", Grants(customs_offices=(LAW.seats.home,))), bare)
    assert not counts(claim("customs", Grants(customs_offices=("2225",))), bare)
    assert not counts(claim("port", Grants(places=(GrantedPlace(ALMATY),))), bare)


def test_the_place_that_an_event_states_must_be_granted():
    both = Grants(places=(GrantedPlace(QINGDAO), GrantedPlace(SHANGHAI)))
    assert counts(claim("port", both, location=Location(QINGDAO)))
    assert not counts(claim("port", AT_QINGDAO, location=Location(ALMATY)))
    assert not counts(claim("port", both, location=Location(SHANGHAI)))


@pytest.mark.parametrize("kind", ON_THE_WAY)
def test_an_event_en_route_may_state_any_granted_place(kind):
    both = Grants(places=(GrantedPlace(QINGDAO), GrantedPlace(SHANGHAI)))
    assert counts(claim("customs", both, kind, location=Location(SHANGHAI)))
    assert not counts(claim("customs", both, kind, location=Location(ALMATY)))


def test_a_carrier_is_concerned_if_the_declaration_names_it():
    named = replace(HERE, parties=(*HERE.parties, Party(Role.CARRIER, CARRIER)))
    assert counts(claim("carrier", Grants(carriers=(CARRIER,)), Kind.ARRIVED), named)
    assert not counts(claim("carrier", Grants(carriers=(STRANGER,)), Kind.ARRIVED), named)
    assert not counts(claim("carrier", Grants(carriers=(CARRIER,)), Kind.ARRIVED))


def test_a_carrier_is_concerned_if_its_event_names_the_transport_document():
    said = References(ucr=HERE.ucr, transport_document=TransportDocument("bl-1"))
    assert counts(claim("carrier", NOBODY, Kind.ARRIVED, references=said))
    assert not counts(
        claim("carrier", NOBODY, Kind.ARRIVED, references=replace(said, transport_document=TransportDocument("BL-2")))
    )
    undocumented = a_declaration(transport=Transport())
    assert not counts(claim("carrier", NOBODY, Kind.ARRIVED, references=References(ucr=HERE.ucr)), undocumented)


def test_a_place_alone_does_not_make_a_carrier_concerned():
    assert not counts(claim("carrier", AT_QINGDAO, Kind.ARRIVED, location=Location(QINGDAO)))


def test_an_agency_is_concerned_if_the_declaration_has_one_of_its_documents():
    permitted = replace(HERE, documents=(Document("N853", "P-1", issuer="GACC"),))
    assert counts(claim("agency", Grants(agencies=("gacc",)), Kind.HOLD_PLACED), permitted)
    assert not counts(claim("agency", Grants(agencies=("gacc",)), Kind.HOLD_PLACED))


def test_a_bank_is_concerned_if_its_event_names_what_is_paid():
    paid = Kind.PAYMENT_CONFIRMED
    assert counts(
        claim("bank", NOBODY, paid, references=References(declaration_number=DeclarationNumber("425820261000000042")))
    )
    assert counts(claim("bank", NOBODY, paid, references=References(ucr=HERE.ucr)))
    assert not counts(claim("bank", NOBODY, paid, references=References(transport_document=TransportDocument("BL-1"))))


def test_a_retraction_needs_no_grant_and_affects_only_its_own_publishers_claims():
    said = claim("port", AT_QINGDAO)
    back = claim("port", NOBODY, event_id="E-back", submission_id="back", retracts=said.submission_id)
    assert counts(back)
    assert in_force((said, replace(back, publisher="another"))) == (said,)


SOMEBODY = NoteClaim(
    claim("carrier", Grants(carriers=(STRANGER,)), Kind.ARRIVED, publisher="nobody", location=Location(ALMATY))
)


def test_an_arrival_reported_by_an_unnamed_carrier_is_noted_without_effect():
    state, events = run([lodge(HERE), answer(), SOMEBODY])
    assert state.status is Status.PRELODGED
    assert names(events)[-1] == "PartnerEventNoted"
    assert [each.without_effect for each in state.claims] == [WithoutEffect.NOT_CONCERNED]
    accepted, _ = run([lodge(HERE), answer(), SOMEBODY, ARRIVED])
    assert accepted.status is not Status.PRELODGED


def test_a_correction_that_names_the_carrier_gives_its_claim_effect():
    rejected = a_declaration(parties=(Party(Role.IMPORTER, CARRIER),))
    corrected = replace(HERE, parties=(*HERE.parties, Party(Role.CARRIER, STRANGER)))
    state, events = run([lodge(rejected), SOMEBODY, lodge(corrected, "R-2"), answer(2)])
    assert [each.without_effect for each in state.claims] == [None]
    assert names(events).count("PartnerEventNoted") == 2
    assert state.accepted_at is not None


def test_a_correction_that_removes_the_place_removes_the_effect():
    rejected = replace(HERE, parties=(Party(Role.IMPORTER, CARRIER),))
    elsewhere = a_declaration(customs_office="2225", transport=Transport(location=Location(SHANGHAI)))
    arrived = NoteClaim(claim("port", AT_QINGDAO, Kind.ARRIVED))
    state, _ = run([lodge(rejected), arrived, lodge(elsewhere, "R-2"), answer(2)])
    assert [each.without_effect for each in state.claims] == [WithoutEffect.NOT_CONCERNED]
    assert state.status is Status.PRELODGED


places = st.sampled_from([GrantedPlace(QINGDAO), GrantedPlace(ALMATY), GrantedPlace(SHANGHAI, "Yangshan")])
grants = st.builds(
    Grants,
    places=st.lists(places, max_size=2).map(tuple),
    customs_offices=st.lists(st.sampled_from(["4258", "2225"]), max_size=1).map(tuple),
    carriers=st.lists(st.sampled_from([CARRIER, STRANGER]), max_size=1).map(tuple),
)
strangers = st.builds(
    lambda role, kind, granted, location: claim(role, granted, kind, location=location, event_id="E-1"),
    st.sampled_from(sorted(set(ROLES) - {"bank"})),
    st.sampled_from(list(Kind)),
    grants,
    st.none() | st.sampled_from([Location(QINGDAO), Location(ALMATY), Location(None, "gate 7")]),
)


@settings(deadline=None)  # the speed of the machine is not tested
@given(strangers)
def test_nothing_but_the_note_follows_from_an_event_without_effect(said):
    before, _ = run([lodge(HERE), answer()], law=in_lane(Lane.GREEN))
    after, events = run([lodge(HERE), answer(), NoteClaim(said)], law=in_lane(Lane.GREEN))
    if judge(said, HERE, LAW.seats) is not None:
        assert replace(after, claims=()) == before
        assert names(events)[-1] == "PartnerEventNoted"
