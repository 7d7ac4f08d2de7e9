"""Moments in gRPC messages."""

from datetime import UTC, datetime, timedelta, timezone

from chassis.rpc import moment_of, stamp_of
from trade.parking.v1 import parking_pb2 as pb

AT = datetime(2026, 1, 5, 8, 0, 0, 123456, UTC)


def test_a_moment_comes_back_as_it_was_in_utc() -> None:
    assert moment_of(stamp_of(AT)) == AT
    elsewhere = AT.astimezone(timezone(timedelta(hours=8)))
    assert moment_of(stamp_of(elsewhere)).isoformat() == AT.isoformat()


def test_no_moment_leaves_its_field_unset() -> None:
    assert not pb.Breaker(opened_at=stamp_of(None)).HasField("opened_at")
    assert pb.Breaker(opened_at=stamp_of(AT)).HasField("opened_at")
