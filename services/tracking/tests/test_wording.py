"""The support desk has words for everything that can be published."""

import pytest

from contracts.events import event_types
from contracts.texts import catalogue
from tracking.domain.entry import fact_name


@pytest.mark.parametrize("type_", event_types())
def test_every_event_has_words(type_: str) -> None:
    assert f"tracking.event.{fact_name(type_)}" in catalogue()
