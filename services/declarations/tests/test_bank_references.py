"""Every spelling of a bank's reference is one payment; the same reference of two banks is two payments."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from services.declarations.tests.declaration_builders import (
    ARRIVED,
    NOW,
    QINGDAO,
    TOTAL,
    UCR,
    a_declaration,
    a_report,
    answer,
    lodge,
    names,
    run,
)

from contracts.partners.v1 import PartnerEvent
from declarations.domain.allocation import Owed
from declarations.domain.commands import Command, NoteClaim
from declarations.domain.declaration import Money
from declarations.domain.payments import Part, parts
from declarations.domain.settlement import Settlement, UpdateAccount, decide, evolve, settlement_id
from declarations.messages import claim
from declarations.settlement_aggregate import SettlementMessages, reported
from values.payments import BankReference, payment_reference
from values.references import declaration_id

OURS = {"payment_reference": payment_reference(declaration_id(QINGDAO, a_declaration().lrn), 1)}
SPELLINGS = st.tuples(
    st.sampled_from(["", " "]),
    st.sampled_from("bB"),
    st.sampled_from(["", " ", "\t"]),
    st.sampled_from(["-1x", "- 1X "]),
).map("".join)


def said(kind: str, id_: str, reference: str, amount: str = TOTAL, bank: str = "bank-qd", **fields: Any) -> NoteClaim:
    """A bank's report as it comes from the partners' topic."""
    money = {"amount": amount, "currency": "CNY"}
    fields = {"references": OURS, **fields}
    event = a_report(f"payment.{kind}", id_, publisher=bank, payment_reference=reference, amount=money, **fields)
    assert isinstance(event.payload, PartnerEvent)
    return claim(event.envelope.id, event.envelope.type, event.payload)


def counted(*reports: NoteClaim) -> list[Part]:
    return parts((each.claim for each in reports), (), "CNY")


def test_a_reversal_in_another_spelling_reverses_the_payment() -> None:
    steps: list[Command] = [lodge(), answer(), ARRIVED, said("confirmed", "p", "B 1"), said("reversed", "r", "b1")]
    _, events = run(steps)
    (back,) = [each for each in events if type(each).__name__ == "PaymentReversed"]
    assert (back.paid.amount, back.parts) == (Decimal(0), ())
    assert "PaymentRecorded" in names(events)


@given(st.lists(SPELLINGS, min_size=1, max_size=5))
def test_every_spelling_of_a_bank_s_reference_is_one_payment(spellings: list[str]) -> None:
    confirmed = [said("confirmed", f"p{number}", written) for number, written in enumerate(spellings)]
    assert counted(*confirmed) == [Part("bank-qd", BankReference("B-1X"), Decimal(TOTAL))]
    assert counted(*confirmed, said("reversed", "r", "b-1x")) == []


def test_one_reference_of_two_banks_is_two_payments() -> None:
    both = counted(said("confirmed", "p", "B 1"), said("confirmed", "q", "b1", bank="bank-sh"))
    assert [(each.publisher, each.amount) for each in both] == [
        ("bank-qd", Decimal(TOTAL)),
        ("bank-sh", Decimal(TOTAL)),
    ]


@pytest.mark.parametrize(("bank", "left"), [("bank-qd", "0"), ("bank-sh", "100")])
@settings(max_examples=30)
@given(SPELLINGS, SPELLINGS)
def test_an_account_takes_back_an_allocation_in_any_spelling_of_the_same_bank(
    bank: str, left: str, one: str, other: str
) -> None:
    alone: dict[str, Any] = {"references": {"ucr": UCR}}
    reports = (
        said("confirmed", "p", one, "100", **alone),
        said("reversed", "r", other, "100", bank=bank, **alone),
    )
    state: Settlement | None = None
    rebuilt: Settlement | None = None
    wire = SettlementMessages()
    owed = (Owed("D-1", Money(Decimal(100), "CNY"), NOW),)
    for each in reports:
        learn = UpdateAccount(settlement_id(UCR), UCR, (reported(each.claim, None),), owed)
        for event in decide(state, learn, NOW):
            state = evolve(state, event)
            rebuilt = evolve(rebuilt, wire.decode(*wire.encode(event, state)))
    assert state is not None
    assert rebuilt == state
    assert [str(each.amount.amount) for each in state.given] == [left]
