"""The calendar day at the customs office: the only way from a moment to a day.

Tariff, exchange rates, validity, the term for payment and the year in a number all go by the day in
the office's time zone. A moment in UTC has another day for some hours of each day, so functions that
go by the day ask for an `OfficeDay`, and only `OfficeCalendar.day` makes one of a moment.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import NewType

OfficeDay = NewType("OfficeDay", date)
"""A day on the calendar of the customs office."""

_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class OfficeCalendar:
    """The days of a customs office."""

    zone: tzinfo

    def day(self, moment: datetime) -> OfficeDay:
        """The office's day in which a moment lies."""
        return OfficeDay(moment.astimezone(self.zone).date())

    def year_of(self, moment: datetime) -> int:
        """The office's year in which a moment lies."""
        return self.day(moment).year

    def end_of(self, day: date) -> datetime:
        """The last second of a day, in the office's zone."""
        return datetime.combine(day, _LAST_SECOND, self.zone)
