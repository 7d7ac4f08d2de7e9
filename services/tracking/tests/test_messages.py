"""Every record becomes an entry or is stored as unreadable with a reason; reading never raises."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.delivery.records import RawRecord
from contracts.envelope import Envelope
from tracking.domain.entry import Entry, Term, term
from tracking.messages import Unreadable, read

RecordMaker = Callable[..., RawRecord]


def _headers(moment: datetime) -> tuple[tuple[str, bytes | None], ...]:
    return tuple(Envelope("e", "/trade/x", "trade.x.y.z.v1", moment, "s", 1, "k", "", "a").headers())


_JSON = st.recursive(st.none() | st.text(), st.lists).map(lambda each: json.dumps(each).encode())
_VALUES = st.none() | st.binary() | _JSON
_MOMENTS = st.datetimes().map(lambda moment: _headers(moment.replace(tzinfo=UTC)))


@given(value=_VALUES, headers=st.lists(st.tuples(st.text(), st.none() | st.binary())) | _MOMENTS)
def test_reading_never_raises(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> None:
    assert isinstance(read(RawRecord("t", 0, 0, None, tuple(headers), value, 0)), Entry | Unreadable)


def test_an_unreadable_record_has_a_reason(a_record: RecordMaker) -> None:
    good = a_record(ucr="6CNUCR1")
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    for value in (None, b"\xff", b"{", b"[1]", deep, b'{"a":' * 45 + b"1" + b"}" * 45):
        unreadable = read(good._replace(value=value))
        assert isinstance(unreadable, Unreadable)
        assert unreadable.reason


def test_event_time_and_received_time_are_kept_apart(a_record: RecordMaker) -> None:
    entry = read(
        a_record(
            "partners.shipment.gate_in",
            occurred_at="2026-01-05T15:00:00+08:00",
            received_at="2026-01-05T09:30:00Z",
            references={"ucr": "6CNUCR1", "container": "CSQU3054383"},
        )
    )
    assert isinstance(entry, Entry)
    assert entry.happened_at == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert entry.happened_offset == "+08:00"
    assert entry.received_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert entry.stated_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert entry.ucr == "6CNUCR1"
    assert {(Term.CONTAINER, "CSQU3054383"), (Term.UCR, "6CNUCR1")} <= entry.terms


def test_the_ids_of_a_declaration_are_found_in_any_nested_object(a_record: RecordMaker) -> None:
    declaration = {"ucr": "6CN1", "lrn": "L1", "transport": {"document": "BL9", "containers": ["CSQU3054383"]}}
    entry = read(a_record("gateway.declaration.submitted", receipt_id="R7", declaration=declaration))
    assert isinstance(entry, Entry)
    assert entry.thread == "6CN1"
    wanted = {(Term.LRN, "L1"), (Term.TRANSPORT_DOCUMENT, "BL9"), (Term.CONTAINER, "CSQU3054383"), (Term.RECEIPT, "R7")}
    assert wanted <= entry.terms


def test_a_payment_reference_is_found_in_any_spelling(a_record: RecordMaker) -> None:
    entry = read(a_record("declarations.declaration.assessed", payment_reference="RF18123456781234567890"))
    assert isinstance(entry, Entry)
    assert term(Term.PAYMENT_REFERENCE, "rf18 1234 5678-1234 5678 90") in entry.terms


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        ("partners.payment.confirmed", "payment_reference"),
        ("declarations.declaration.partner_event_noted", "payment_reference"),
        ("declarations.settlement.allocated", "payment_reference"),
        ("declarations.declaration.payment_allocated", "bank_reference"),
    ],
)
def test_a_bank_s_reference_is_found_in_any_spelling_and_stored_with_the_bank(
    a_record: RecordMaker, fact: str, name: str
) -> None:
    entry = read(a_record(fact, publisher="bank-qd", references={"payment_reference": "RF18-1"}, **{name: "ccb-1 a"}))
    assert isinstance(entry, Entry)
    assert {term(Term.BANK_REFERENCE, "CCB -1A"), term(Term.BANK_PAYMENT, "bank-qd/CCB-1 A")} <= entry.terms
    assert {value for kind, value in entry.terms if kind is Term.PAYMENT_REFERENCE} == {"RF181"}
    assert term(Term.BANK_REFERENCE, "CCB1A") not in entry.terms


def test_a_shipment_has_one_thread_however_its_ucr_is_spaced(a_record: RecordMaker) -> None:
    entries = [read(a_record("declarations.declaration.accepted", ucr=ucr)) for ucr in ("6CN 1", " 6CN  1 ")]
    assert [each.thread for each in entries if isinstance(each, Entry)] == ["6CN 1", "6CN 1"]


def test_a_repeat_has_the_same_hash_and_other_content_has_another(a_record: RecordMaker) -> None:
    first, repeat = (read(a_record(id="x", minute=0, note="1")) for _ in range(2))
    other = read(a_record(id="x", minute=0, note="2"))
    assert isinstance(first, Entry)
    assert isinstance(repeat, Entry)
    assert isinstance(other, Entry)
    assert first.position != repeat.position
    assert first.hash == repeat.hash != other.hash


def test_a_string_that_the_database_rejects_is_cleaned(a_record: RecordMaker) -> None:
    record = a_record()._replace(value=b'{"lrn": "\\ud800x"}')
    entry = read(record)
    assert isinstance(entry, Entry)
    assert all(value.encode() for _, value in entry.terms)
