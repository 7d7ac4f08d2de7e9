"""The support desk has words for everything that can be published."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.events import event_types
from contracts.texts import catalogue
from tracking.domain.entry import fact_name
from tracking.wording import local_time


@pytest.mark.parametrize("type_", event_types())
def test_every_event_has_words(type_: str) -> None:
    assert f"tracking.event.{fact_name(type_)}" in catalogue()


@pytest.mark.parametrize(("moment", "zone"), [(datetime.max, "Asia/Shanghai"), (datetime.min, "America/New_York")])
def test_the_ends_of_the_calendar_break_no_page(moment: datetime, zone: str) -> None:
    assert local_time(moment.replace(tzinfo=UTC), ZoneInfo(zone)) == "–"
