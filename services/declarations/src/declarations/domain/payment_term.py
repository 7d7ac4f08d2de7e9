"""The payment term: calendar days at the customs office, extended to the next working day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from declarations.domain.office_day import OfficeCalendar

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """The time allowed for paying assessed duties."""

    calendar: OfficeCalendar
    days: int = 15
    holidays: frozenset[date] = frozenset()
    exactly: timedelta | None = None
    """Replaces the days, for tests and demonstrations."""

    def ends(self, assessed_at: datetime) -> datetime:
        """The payment deadline: the end of the last day."""
        if self.exactly is not None:
            return assessed_at + self.exactly
        last = self.calendar.day(assessed_at) + timedelta(days=self.days)
        while last.weekday() >= _SATURDAY or last in self.holidays:
            last += timedelta(days=1)
        return self.calendar.end_of(last).astimezone(assessed_at.tzinfo)
