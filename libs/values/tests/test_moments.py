"""Moments are parsed by RFC 3339 only, whatever other parsers would accept."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from values.faults import NotOfItsForm
from values.moments import NO_MOMENT, NO_OFFSET, _read_unusual, read_day, read_moment

CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    "text",
    [
        "2026", "20261124", "2611241600", "0", "", "2026-11-24", "2026-W48-2T16:00:00Z", "2026-328T16:00:00Z",
        "2026-11-24 16:00:00Z", "2026-11-24T16:00Z", "2026-11-24T16Z", "20261124T160000Z", "2026-11-24T16:00:00,5Z",
        "2026-11-24T24:00:00Z", "2026-02-30T00:00:00Z", "2026-11-24T16:00:00+0800", "2026-11-24T16:00:00+08",
        "2026-11-24T16:00:00+08:60", "2026-11-24T16:00:00+25:00", "２０２６-11-24T16:00:00Z", "2026-11-24T16:00:00.Z",
        "2026-11-24T16:00:00Z ", "2026-11-24T16:00:61Z", "2026-11-24T16:00:60Z", "0001-01-01T00:00:00+08:00",
        "2026-11-24T16:00:00Z" + "0" * 200,
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(NotOfItsForm) as refused:
        read_moment(text)
    assert refused.value.code == NO_MOMENT


def test_a_missing_offset_is_another_fault_than_no_moment():
    with pytest.raises(NotOfItsForm) as refused:
        read_moment("2026-11-24T16:00:00")
    assert refused.value.code == NO_OFFSET


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T16:00:00+08:00", datetime(2026, 11, 24, 16, tzinfo=CHINA)),
        ("2026-11-24t16:00:00z", datetime(2026, 11, 24, 16, tzinfo=UTC)),
        ("2026-11-24T16:00:00.5Z", datetime(2026, 11, 24, 16, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24T16:00:00.123456789123Z", datetime(2026, 11, 24, 16, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-24T16:00:00-00:00", datetime(2026, 11, 24, 16, tzinfo=UTC)),
    ],
)
def test_every_spelling_of_rfc_3339_is_read(text, moment):
    assert read_moment(text) == moment
    assert read_moment(text).utcoffset() == moment.utcoffset()


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60+08:00", "2016-12-31T23:59:60.9Z"])
def test_a_leap_second_is_read_as_the_second_behind_it(text):
    assert read_moment(text) == datetime(2017, 1, 1, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(CHINA)))
def test_what_we_write_is_read_back(moment):
    assert read_moment(moment.isoformat()) == moment


def test_a_day_is_a_calendar_day():
    assert read_day("2026-11-24") == date(2026, 11, 24)
    for text in ("20261124", "2026-W48-2", "2026-11-31", "2026-11-24T00:00:00Z", "٢٠٢٦-11-24", ""):
        with pytest.raises(NotOfItsForm):
            read_day(text)


def _told(read, text):
    try:
        moment = read(text)
    except NotOfItsForm as error:
        return error.args
    return moment, moment.utcoffset()


_ALMOST = st.from_regex(
    r"(19|20|00|99)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
    r"(\.[0-9]{0,9})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?",
    fullmatch=True,
)


@given(_ALMOST)
@example("9999-12-31T23:59:59-01:00")
@example("0001-01-01T00:00:00+01:00")
@example("2026-11-28T24:00:00Z")
@example("2026-02-30T00:00:00.5Z")
@example("2026-11-28T10:00:00-00:00")
@example("2026-11-28T10:00:00+24:00")
def test_the_short_way_of_usual_moments_tells_what_the_long_way_tells(text):
    assert _told(read_moment, text) == _told(_read_unusual, text)
