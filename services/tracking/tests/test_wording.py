"""Times outside the calendar and payloads outside the contracts break no page."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.events import event_types
from contracts.examples import example
from contracts.texts import LANGUAGES
from tracking.domain.entry import Entry, fact_name
from tracking.wording import describe, local_time

EntryMaker = Callable[..., Entry]


@pytest.mark.parametrize(("moment", "zone"), [(datetime.max, "Asia/Shanghai"), (datetime.min, "America/New_York")])
def test_times_at_the_ends_of_the_calendar_break_no_page(moment: datetime, zone: str) -> None:
    assert local_time(moment.replace(tzinfo=UTC), ZoneInfo(zone)) == "–"


def test_a_local_time_shows_its_offset_and_no_ambiguous_abbreviation() -> None:
    moment = datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert local_time(moment, ZoneInfo("Asia/Shanghai")) == "2026-01-05 16:00:00 UTC+08:00"
    assert local_time(moment, ZoneInfo("America/St_Johns")) == "2026-01-05 04:30:00 UTC-03:30"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type_", event_types())
def test_every_contract_event_is_described_without_a_placeholder_or_a_code(
    an_entry: EntryMaker, type_: str, language: str
) -> None:
    payload = example(event_types()[type_].payload) | {"retracts": None, "without_effect": None}
    told = describe(an_entry(fact_name(type_), **payload), language)
    assert "{" not in told
    assert fact_name(type_) not in told


@pytest.mark.parametrize("value", [None, 5, True, [], {}, "", ["x"], {"a": 1}, 2**70])
@pytest.mark.parametrize("type_", event_types())
def test_no_field_value_breaks_a_row(an_entry: EntryMaker, type_: str, value: object) -> None:
    payload = dict.fromkeys(event_types()[type_].payload.model_fields, value)
    assert describe(an_entry(fact_name(type_), **payload), "en")
