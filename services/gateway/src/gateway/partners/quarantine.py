"""Refused records of partners' topics, stored for the partner to inspect, with the reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chassis.rpc import Place
from gateway.domain.faults import Fault


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refused record with its faults; if it is too large, only its beginning."""

    id: str
    """`topic/partition/offset`."""
    partner: str
    at: datetime
    """When it was refused."""
    problem: str
    values: Mapping[str, Any]
    faults: tuple[Mapping[str, Any], ...]
    """Fields of `Fault`."""
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    trace_id: str = ""
    submission: Mapping[str, str] = field(default_factory=dict)
    """Source and id, if readable."""

    @property
    def place(self) -> Place:
        return self.at, self.id


class Quarantine(Protocol):
    async def save(self, records: Sequence[Quarantined]) -> None:
        """Store refused records; harmless to repeat."""
        ...

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        """Records of a partner before a place in the list, newest first, by time and id."""
        ...

    async def get(self, partner: str, id_: str) -> Quarantined | None: ...


def to_plain(fault: Fault) -> dict[str, Any]:
    """A fault in its stored form."""
    values = {name: str(value) for name, value in fault.values.items()}
    return {"code": fault.code, "pointer": fault.pointer, "values": values, "value": fault.value}


def fault_of(plain: Mapping[str, Any]) -> Fault:
    """A fault from its stored form."""
    return Fault(plain["code"], plain["pointer"], plain["values"], plain["value"])
