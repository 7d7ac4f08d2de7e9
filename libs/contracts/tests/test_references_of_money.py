"""Payment references: the platform's is unique by itself, a bank's own only per bank."""

from collections.abc import Iterator
from typing import get_args

import pytest

from contracts.declarations.v1 import EVENTS as DECLARATIONS
from contracts.partners.v1 import EVENTS as PARTNERS
from contracts.values import Payload
from values.payments import BankReference, PaymentReference


def _every(payload: type[Payload]) -> Iterator[type[Payload]]:
    yield payload
    for each in payload.__subclasses__():
        yield from _every(each)


FIELDS = sorted(
    {
        (each.__module__, each.__qualname__, name, field.annotation, "publisher" in each.model_fields)
        for each in _every(Payload)
        for name, field in each.model_fields.items()
        if name in {"payment_reference", "bank_reference"}
    },
    key=str,
)


def test_the_payloads_of_banks_and_of_accounts_are_looked_at() -> None:
    assert "trade.partners.payment.confirmed.v1" in PARTNERS
    assert "trade.declarations.settlement.allocated.v1" in DECLARATIONS
    names = {name for _, name, *_ in FIELDS}
    assert {"PaymentConfirmed", "PaidPart", "Allocated", "PaymentAllocated", "References", "Assessed"} <= names


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: ".".join(field[:3]))
def test_a_reference_beside_a_publisher_is_the_bank_s_own_and_any_other_the_platform_s(
    field: tuple[str, str, str, type, bool],
) -> None:
    *_, annotation, beside_publisher = field
    kinds = set(get_args(annotation) or (annotation,)) - {type(None)}
    assert kinds == {BankReference if beside_publisher else PaymentReference}
