"""The envelope: any input is read without an error, and what is written is read back unchanged."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import BadEnvelope, Envelope, parse

NAMES = [
    *("ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion", "ce_subject", "ce_sequence"),
    *("ce_partitionkey", "ce_causationid", "ce_actor", "traceparent", "tracestate", "baggage", "content-type"),
]
LIKELY = {
    "ce_id": b"KZ-BIN:190540000014/0.1",
    "ce_source": b"/trade/registry",
    "ce_type": b"trade.registry.enterprise.registered.v1",
    "ce_time": b"2026-11-24T07:00:00+00:00",
    "ce_specversion": b"1.0",
}
ENVELOPE = Envelope(
    id="KZ-BIN:190540000014/0.1",
    source="/trade/registry",
    type="trade.registry.enterprise.registered.v1",
    time=datetime(2026, 11, 24, 15, tzinfo=timezone(timedelta(hours=8))),
    subject="KZ-BIN:190540000014",
    sequence=1,
    partitionkey="KZ-BIN:190540000014",
    causationid="C-1",
    actor="staff:ли",
    trace={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
)

values = (
    st.none() | st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
odd_numbers = st.sampled_from([b"9" * 5000, b"-1", b"1e3", b"0x1", b" 1 ", "٣".encode(), b"", b"nan"])
odd_times = st.sampled_from(
    [b"0001-01-01T00:00:00+23:59", b"9999-12-31", b"2026-11-24T07:00:00", b"2026-W01-1", b"20261124"]
)


@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=10), values), max_size=20))
def test_whatever_the_headers_are_parsing_never_raises(headers):
    assert isinstance(parse(headers), Envelope | BadEnvelope)


@given(st.dictionaries(st.sampled_from(NAMES), values | odd_numbers | odd_times, max_size=4))
def test_an_envelope_with_some_odd_headers_never_raises(odd):
    assert isinstance(parse(list({**LIKELY, **odd}.items())), Envelope | BadEnvelope)


def test_what_is_written_is_read_back():
    assert parse(ENVELOPE.headers()) == ENVELOPE


def test_unknown_headers_are_ignored():
    assert parse([*ENVELOPE.headers(), ("x-new", b"1")]) == ENVELOPE


def test_each_required_header_is_asked_for():
    for name in LIKELY:
        rest = [(other, value) for other, value in LIKELY.items() if other != name]
        assert parse(rest) == BadEnvelope(f"header {name!r} is missing")


def test_what_is_wrong_is_said():
    def reason(name: str, value: bytes | None) -> str:
        bad = parse(list({**LIKELY, name: value}.items()))
        assert isinstance(bad, BadEnvelope)
        return bad.reason

    assert "null" in reason("ce_subject", None)
    assert "UTF-8" in reason("ce_actor", b"\xff")
    assert "0.3" in reason("ce_specversion", b"0.3")
    assert "offset" in reason("ce_time", b"2026-11-24T07:00:00")
    assert reason("ce_sequence", b"one")


def test_a_time_keeps_its_moment():
    read = parse(list(LIKELY.items()))
    assert isinstance(read, Envelope)
    assert read.time == datetime(2026, 11, 24, 7, tzinfo=UTC)


@given(st.dictionaries(st.text(max_size=10).filter(lambda name: not name.startswith("ce_")), values, max_size=4))
def test_a_header_of_another_tool_may_hold_any_bytes_or_null(foreign):
    read = parse([*foreign.items(), *ENVELOPE.headers()])
    assert isinstance(read, Envelope)
    assert (read.id, read.type, read.subject) == (ENVELOPE.id, ENVELOPE.type, ENVELOPE.subject)
    assert parse([*ENVELOPE.headers(), ("x-b3", b"\xff\xfe\x00"), ("x-null", None)]) == ENVELOPE
