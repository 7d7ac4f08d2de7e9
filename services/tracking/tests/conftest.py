"""Builders of records and entries, and fixtures of the support desk."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from services.tracking.tests.tracking_desk import Desk, a_desk

from chassis.delivery.records import RawRecord
from contracts.envelope import Envelope
from tracking.domain.entry import Entry
from tracking.messages import read

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

RecordMaker = Callable[..., RawRecord]
EntryMaker = Callable[..., Entry]


@pytest.fixture
def a_record() -> RecordMaker:
    """Builder of records, by default of declarations' topic and one minute apart."""
    offsets = count()

    def make(
        fact: str = "declarations.declaration.submitted",
        *,
        id: str | None = None,  # noqa: A002 - the envelope's name
        seq: int = 0,
        cause: str = "",
        topic: str = "declarations.events.v1",
        offset: int | None = None,
        minute: float | None = None,
        subject: str = "D-1",
        actor: str = "firm:CN-USCC:91370200264800XXXX",
        key: str = "6CNUCR1",
        **payload: Any,
    ) -> RawRecord:
        place = next(offsets) if offset is None else offset
        service = fact.partition(".")[0]
        envelope = Envelope(
            id=id or f"{subject}/0.{seq or place + 1}",
            source=f"/trade/{service}",
            type=f"trade.{fact}.v1",
            time=START + timedelta(minutes=place if minute is None else minute),
            subject=subject,
            sequence=seq,
            partitionkey=key,
            causationid=cause,
            actor=actor,
            trace={"traceparent": f"00-{place + 1:032x}-{place + 1:016x}-01"},
        )
        value = json.dumps(payload, ensure_ascii=False).encode()
        return RawRecord(topic, 0, place, key.encode(), tuple(envelope.headers()), value, 0)

    return make


@pytest.fixture
def an_entry(a_record: RecordMaker) -> EntryMaker:
    def make(fact: str = "declarations.declaration.submitted", **given: Any) -> Entry:
        given.setdefault("ucr", "6CNUCR1")
        entry = read(a_record(fact, **given))
        assert isinstance(entry, Entry), entry
        return entry

    return make


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The support desk's HTTP server over in-memory stores."""
    async with a_desk(tmp_path) as desk:
        yield desk
