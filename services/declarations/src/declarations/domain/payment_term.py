"""How long a payer has: calendar days of the customs office, moved to the next working day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from declarations.domain.office_day import OfficeCalendar

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """When duties that were assessed at a moment must have been paid."""

    calendar: OfficeCalendar
    days: int = 15
    holidays: frozenset[date] = frozenset()
    exactly: timedelta | None = None
    """In place of days, for tests and demonstrations."""

    def ends(self, assessed_at: datetime) -> datetime:
        """The last moment for payment: the end of the last day."""
        if self.exactly is not None:
            return assessed_at + self.exactly
        last = self.calendar.day(assessed_at) + timedelta(days=self.days)
        while last.weekday() >= _SATURDAY or last in self.holidays:
            last += timedelta(days=1)
        return self.calendar.end_of(last).astimezone(assessed_at.tzinfo)
