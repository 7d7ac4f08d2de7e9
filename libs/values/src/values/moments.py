"""Moments as RFC 3339 writes them: date, `T`, time with seconds, offset.

Letters may be lower case and a fraction may have any number of digits; what is finer than a microsecond is dropped. A
leap second is read as the second behind it: clocks and databases have no sixty-first one. Week dates, ordinal dates,
bare dates and numbers are no moments. A moment without an offset is another fault than a text that is none.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from values.faults import NotOfItsForm

NO_OFFSET = "moment.no_offset"
NO_MOMENT = "moment.form"

CLOCK_SKEW = timedelta(minutes=5)
"""By how much a partner's clock may differ from the platform's: what the door lets lie in the future, by default."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<time>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_USUAL = re.compile(
    r"(?!0001|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-5][0-9])"
)
"""What services write, and nearly everybody: of this the standard library reads just what stands there."""
_LEAP = "60"
_EXPECTED = "time by RFC 3339, such as 2026-11-24T16:00:00+08:00"


def read_moment(text: str) -> datetime:
    """A moment with its offset.

    Raises:
        NotOfItsForm: `NO_OFFSET` where only the offset is missing, else `NO_MOMENT`.
    """
    if _USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # no such day or hour: told below
    return _read_unusual(text)


def _read_unusual(text: str) -> datetime:
    """Any moment, the long way."""
    found = _MOMENT.fullmatch(text) if len(text) <= 100 else None  # noqa: PLR2004 - no moment is as long
    if found is None:
        raise NotOfItsForm(NO_MOMENT, text, _EXPECTED)
    leap = found["second"] == _LEAP
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{found['time']}:{'59' if leap else found['second']}")
        if found["offset"] is None:
            raise NotOfItsForm(NO_OFFSET, text, "time with an offset")
        moment = moment.replace(tzinfo=_zone(found["offset"]))
        moment.astimezone(UTC)  # a moment that no calendar in UTC holds is none
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
        NotOfItsForm: the text is no such day.
    """
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise NotOfItsForm("day.form", text, "day, such as 2026-11-24")


def _behind_leap(last: datetime, text: str) -> datetime:
    """The second behind a leap second; those are inserted at the end of a day in UTC only."""
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
