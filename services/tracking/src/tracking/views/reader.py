"""The reader's language, time zone and current time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracking.wording import local_time, say, utc_time

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    language: str
    zone: ZoneInfo
    now: datetime

    def say(self, code: str, **parameters: object) -> str:
        """A text of the support desk in the reader's language."""
        return say(code, self.language, **parameters)

    def moment(self, moment: datetime | None) -> View | None:
        """A time as ISO 8601, in UTC and in the reader's zone; None for None."""
        if moment is None:
            return None
        return {"utc": utc_time(moment), "local": local_time(moment, self.zone), "iso": moment.isoformat()}

    def time(self, moment: datetime | None) -> str:
        """A time for use in a sentence: UTC and the reader's zone."""
        if moment is None:
            return self.say("page.not_known")
        return f"{utc_time(moment)} ({local_time(moment, self.zone)})"

    def age(self, moment: datetime) -> int:
        """Whole seconds since a time."""
        return max(0, int((self.now - moment).total_seconds()))


def shown(value: object) -> str:
    """A scalar as text; empty for anything else."""
    return str(value) if isinstance(value, str | int | float) else ""


def listed(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
