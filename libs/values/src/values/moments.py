"""Parses moments in RFC 3339 form: date, `T`, time with seconds, offset.

Letters may be lower case, and a fraction may have any number of digits; digits beyond microseconds are dropped. A leap
second is read as the following second, as clocks and databases have no second 60. Week dates, ordinal dates, bare
dates and numbers are refused. A missing offset is a fault of its own.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from values.faults import NotOfItsForm

NO_OFFSET = "moment.no_offset"
NO_MOMENT = "moment.form"

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future the door accepts a time, by default, as a partner's clock may differ from the platform's."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<time>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_USUAL = re.compile(
    r"(?!0001|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-5][0-9])"
)
"""The usual form, which the services write; the standard library parses it correctly."""
_LEAP = "60"
_EXPECTED = "time by RFC 3339, such as 2026-11-24T16:00:00+08:00"


def read_moment(text: str) -> datetime:
    """A moment with its offset.

    Raises:
        NotOfItsForm: `NO_OFFSET` if only the offset is missing, otherwise `NO_MOMENT`.
    """
    if _USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # no such day or hour: handled below
    return _read_unusual(text)


def _read_unusual(text: str) -> datetime:
    """Parse any allowed form, slowly."""
    found = _MOMENT.fullmatch(text) if len(text) <= 100 else None  # noqa: PLR2004 - no moment is this long
    if found is None:
        raise NotOfItsForm(NO_MOMENT, text, _EXPECTED)
    leap = found["second"] == _LEAP
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{found['time']}:{'59' if leap else found['second']}")
        if found["offset"] is None:
            raise NotOfItsForm(NO_OFFSET, text, "time with an offset")
        moment = moment.replace(tzinfo=_zone(found["offset"]))
        moment.astimezone(UTC)  # raises if it is out of range in UTC
        if leap:
            return _behind_leap(moment, text)
    except NotOfItsForm:
        raise
    except (ValueError, OverflowError):
        raise NotOfItsForm(NO_MOMENT, text, _EXPECTED) from None
    return moment.replace(microsecond=int((found["fraction"] or "")[:6].ljust(6, "0")))


def read_day(text: str) -> date:
    """A calendar day, `YYYY-MM-DD`.

    Raises:
        NotOfItsForm: the text is not a day.
    """
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotOfItsForm("day.form", text, "day, such as 2026-11-24")


def _behind_leap(last: datetime, text: str) -> datetime:
    """The second after a leap second, which exists only at the end of a UTC day."""
    behind = last + timedelta(seconds=1)
    if behind.astimezone(UTC).strftime("%H%M%S") != "000000":
        raise NotOfItsForm(NO_MOMENT, text, _EXPECTED)
    return behind


def _zone(offset: str) -> timezone:
    if offset in "Zz":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:])
    if minutes > 59:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(offset)
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if offset[0] == "-" else distance)
