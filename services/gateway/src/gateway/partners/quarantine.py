"""Bad records of partners' topics, as they are kept for the partner to look at: what came, and why it was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chassis.rpc import Place
from gateway.domain.faults import Fault


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A bad record as it came, and why it was not taken; of one that is too large, the beginning."""

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
    """Source and id, where they could be read."""

    @property
    def place(self) -> Place:
        return self.at, self.id


class Quarantine(Protocol):
    async def save(self, records: Sequence[Quarantined]) -> None:
        """Keep bad records; harmless to repeat."""
        ...

    async def of_partner(self, partner: str, *, before: Place | None, limit: int) -> list[Quarantined]:
        """Newest first, by moment and id; only those before a place."""
        ...

    async def get(self, partner: str, id_: str) -> Quarantined | None: ...


def to_plain(fault: Fault) -> dict[str, Any]:
    """A fault as it is kept."""
    values = {name: str(value) for name, value in fault.values.items()}
    return {"code": fault.code, "pointer": fault.pointer, "values": values, "value": fault.value}


def fault_of(plain: Mapping[str, Any]) -> Fault:
    """A fault as it was kept."""
    return Fault(plain["code"], plain["pointer"], plain["values"], plain["value"])
