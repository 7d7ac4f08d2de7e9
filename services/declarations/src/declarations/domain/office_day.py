"""The calendar day at the customs office; the only conversion from a time to a day.

Tariff, exchange rates, validity, the payment term and the year in a number all use the day in the
office's time zone. For some hours of each day the date in UTC is another one, so functions that depend
on the day take an `OfficeDay`, and only `OfficeCalendar.day` makes one from a time.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import NewType

OfficeDay = NewType("OfficeDay", date)
"""A calendar day at the customs office."""

_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class OfficeCalendar:
    """The calendar of a customs office."""

    zone: tzinfo

    def day(self, moment: datetime) -> OfficeDay:
        """The office's day of a time."""
        return OfficeDay(moment.astimezone(self.zone).date())

    def year_of(self, moment: datetime) -> int:
        """The office's year of a time."""
        return self.day(moment).year

    def end_of(self, day: date) -> datetime:
        """The last second of a day, in the office's zone."""
        return datetime.combine(day, _LAST_SECOND, self.zone)
