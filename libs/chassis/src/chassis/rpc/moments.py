"""Moments in messages of gRPC: a `Timestamp` holds UTC and says so nowhere."""

from datetime import UTC, datetime
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp


@overload
def stamp_of(moment: datetime) -> Timestamp: ...
@overload
def stamp_of(moment: None) -> None: ...
def stamp_of(moment: datetime | None) -> Timestamp | None:
    """A moment as a message holds it; None leaves its field unset."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def moment_of(stamp: Timestamp) -> datetime:
    """The moment that a message holds, in UTC. Whether it holds one, `HasField` says."""
    return stamp.ToDatetime(tzinfo=UTC)
