"""Cursors: they are read back for the same list only, and no other input breaks a list."""

import base64
import contextlib
from datetime import UTC, datetime

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc import RpcError, page_id, page_of, page_place, page_size
from chassis.rpc.paging import LONGEST, BadCursor, cursor, id_of, place_of

MOMENTS = st.datetimes(timezones=st.just(UTC))
IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


@given(MOMENTS, IDS, IDS)
def test_a_cursor_is_read_as_it_was_written(moment: datetime, id_: str, of: str) -> None:
    assert place_of(cursor((moment, id_), of), of) == (moment, id_)
    assert id_of(cursor(id_, of), of) == id_


def test_the_beginning_of_a_list_has_no_cursor() -> None:
    assert place_of("", "list") is None
    assert id_of("", "list") == ""


@pytest.mark.parametrize(
    "given_",
    [
        cursor((datetime(2026, 1, 5, tzinfo=UTC), "a"), "another"),
        cursor("a", "another"),
        "nonsense",
        "äöü",
        "W10=",
        "WyJsaXN0Il0=",
        "WyJsaXN0Iiwx",
        "x" * (LONGEST + 1),
        cursor("a", "list")[:-2],
    ],
)
def test_a_cursor_of_nobody_or_of_another_list_is_refused(given_: str) -> None:
    with pytest.raises(BadCursor):
        place_of(given_, "list")
    with pytest.raises(BadCursor):
        id_of(given_, "list")


@given(st.text(max_size=60), st.binary(max_size=60))
def test_reading_a_cursor_never_fails_otherwise(text: str, raw: bytes) -> None:
    for given_ in (text, raw.decode("latin-1")):
        for read in (place_of, id_of):
            with contextlib.suppress(BadCursor):
                read(given_, "list")


def test_a_moment_out_of_the_calendar_and_half_a_character_are_refused() -> None:
    for inside in ('["list",99999999999999999999,"a"]', '["list",true,"a"]', '["list",1,"\\ud800"]'):
        with pytest.raises(BadCursor):
            place_of(_encoded(inside), "list")


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def test_a_negative_page_size_is_refused_and_a_large_one_cut() -> None:
    assert (page_size(0), page_size(7), page_size(10_000)) == (50, 7, 200)
    with pytest.raises(RpcError) as refused:
        page_size(-1)
    assert (refused.value.code, refused.value.violations[0][0]) == (grpc.StatusCode.INVALID_ARGUMENT, "page_size")


def test_a_bad_page_token_is_refused_by_its_name() -> None:
    for read in (page_place, page_id):
        with pytest.raises(RpcError) as refused:
            read("nonsense", "list")
        assert (refused.value.reason, refused.value.violations[0][0]) == ("REQUEST_INVALID", "page_token")


def test_a_page_has_a_token_only_where_more_follows() -> None:
    found = ["a", "b", "c"]
    page, token = page_of(found, 2, "letters", lambda each: each)
    assert (page, id_of(token, "letters")) == (["a", "b"], "b")
    assert page_of(found, 3, "letters", lambda each: each) == (found, "")
    assert page_of([], 3, "letters", str) == ([], "")
