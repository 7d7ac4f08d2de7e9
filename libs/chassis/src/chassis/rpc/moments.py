"""datetime ↔ protobuf `Timestamp`, which is always UTC."""

from datetime import UTC, datetime
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp


@overload
def stamp_of(moment: datetime) -> Timestamp: ...
@overload
def stamp_of(moment: None) -> None: ...
def stamp_of(moment: datetime | None) -> Timestamp | None:
    """A moment as a `Timestamp`; None leaves the field unset."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def moment_of(stamp: Timestamp) -> datetime:
    """The moment of a `Timestamp`, in UTC. Check `HasField` first: an unset field reads as 1970."""
    return stamp.ToDatetime(tzinfo=UTC)
