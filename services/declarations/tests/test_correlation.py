"""Which declaration a partner event concerns, and the parts of a declaration number."""

from dataclasses import replace

import pytest
from services.declarations.tests.declaration_builders import ARRIVED, SERIAL, UCR, a_declaration, answer, lodge, run

from declarations.domain import number
from declarations.domain.claims import Kind
from declarations.domain.correlation import concerns
from declarations.domain.declaration import Direction
from declarations.domain.references import References
from values.payments import payment_reference
from values.references import ContainerNumber, DeclarationNumber, TransportDocument, Ucr

BILL = TransportDocument("BL-1")

STATE, _ = run([lodge(), answer()])
NUMBERED = replace(STATE, number=DeclarationNumber("425820261000000042"))


@pytest.mark.parametrize(
    ("references", "wanted"),
    [
        (References(ucr=UCR), True),
        (References(ucr=Ucr("other")), False),
        (References(ucr=Ucr("other"), transport_document=BILL), False),
        (References(declaration_number=DeclarationNumber("425820261000000042")), True),
        (
            References(declaration_number=DeclarationNumber("425820261000000043"), transport_document=BILL),
            False,
        ),
        (References(transport_document=BILL, container=ContainerNumber("CSQU3054383")), True),
        (References(transport_document=BILL, container=ContainerNumber("MSKU0000000")), False),
        (References(transport_document=BILL), True),
        (References(transport_document=TransportDocument("BL-2")), False),
        (References(container=ContainerNumber("CSQU3054383")), False),
        (References(), False),
    ],
)
def test_the_strongest_reference_decides(references, wanted):
    assert concerns(Kind.ARRIVED, references, NUMBERED) is wanted


@pytest.mark.parametrize("written", ["csqu 305438 3", "CSQU-305438-3", "CSQU305438/3"])
def test_an_event_finds_its_declaration_by_any_spelling_of_the_container(written):
    named = References(transport_document=TransportDocument(" bl-1 "), container=ContainerNumber(written))
    assert concerns(Kind.ARRIVED, named, NUMBERED)


def test_a_container_excludes_only_declarations_that_name_other_containers():
    bare = replace(STATE, declaration=a_declaration(transport=replace(a_declaration().transport, containers=())))
    assert concerns(
        Kind.ARRIVED,
        References(transport_document=BILL, container=ContainerNumber("MSKU0000000")),
        bare,
    )


def test_a_payment_for_one_declaration_of_a_shipment_is_not_counted_for_another():
    paid_for_other = References(ucr=UCR, declaration_number=DeclarationNumber("425820261000000099"))
    assert not concerns(Kind.PAYMENT_CONFIRMED, paid_for_other, NUMBERED)
    assert not concerns(Kind.PAYMENT_CONFIRMED, paid_for_other, STATE)
    assert concerns(Kind.GATE_IN, paid_for_other, NUMBERED)


ASSESSED = run([lodge(), answer(), ARRIVED])[0]
OWN = payment_reference(ASSESSED.id, 1)
OTHER = payment_reference("D-other", 1)


@pytest.mark.parametrize(
    ("references", "wanted"),
    [
        (References(payment_reference=OWN), True),
        (References(payment_reference=OTHER), False),
        (References(payment_reference=OWN, ucr=UCR, declaration_number=ASSESSED.number), True),
        (References(payment_reference=OWN, ucr=Ucr("other")), False),
        (References(payment_reference=OWN, declaration_number=DeclarationNumber("425820261000000099")), False),
        (References(ucr=UCR, declaration_number=ASSESSED.number), True),
        (References(declaration_number=ASSESSED.number), True),
        (References(ucr=UCR), False),
        (References(transport_document=BILL), False),
        (References(transport_document=BILL, container=ContainerNumber("CSQU3054383")), False),
    ],
)
@pytest.mark.parametrize("kind", [Kind.PAYMENT_CONFIRMED, Kind.PAYMENT_REVERSED])
def test_a_payment_settles_only_the_declaration_that_it_names(kind, references, wanted):
    assert concerns(kind, references, ASSESSED) is wanted


def test_a_number_has_eighteen_digits_for_any_office():
    assert number.compose("4258", 2026, Direction.EXPORT, SERIAL) == "425820260000000042"
    assert number.compose("GBLGW001", 2026, Direction.IMPORT, SERIAL) == "000020261000000042"
    assert number.compose(None, 2026, Direction.IMPORT, SERIAL) == "000020261000000042"


def test_candidates_are_nine_digits_and_differ_by_attempt():
    candidates = [number.candidate("D-1", attempt) for attempt in range(50)]
    assert all(len(each) == 9 and each.isdigit() for each in candidates)
    assert len(set(candidates)) == 50
