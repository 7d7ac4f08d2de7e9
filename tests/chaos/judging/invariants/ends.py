"""The outcome of each delivery at each service, computed once per world."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from chaos.judging.world import Said, Stored, World

from contracts.topics import EVENT_TOPICS

DISCARDED = "discarded"


class Ends:
    """A delivery is resolved if it was applied, parked, or discarded by staff."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._applied = {(each.service, cause, each.id) for each in world.stored for cause in each.causes}
        self._known = {(service, cause) for service, cause, _ in self._applied}
        held = [*world.parked, *(line["delivery"] for line in world.audit if line["action"] == DISCARDED)]
        self._held = {(each["service"], each["event_id"], each["target"]) for each in held}
        self._held_anywhere = {(service, event) for service, event, _ in self._held}
        self._positions = {(each["service"], _position(each)) for each in held} | world.set_aside

    def resolved(self, service: str, said: Said, target: str) -> bool:
        """Whether a service has resolved an event for one target."""
        id_ = said.envelope.id
        ways = {(service, id_, target), (service, id_, said.key_lock)}
        return (service, id_, target) in self._applied or bool(ways & self._held)

    def resolved_somewhere(self, service: str, said: Said) -> bool:
        """Whether a service has resolved an event for any target."""
        at = (service, said.envelope.id)
        return at in self._known or at in self._held_anywhere

    def parked(self, service: str, said: Said) -> bool:
        """Whether a service has parked an event, or staff discarded it there."""
        return (service, said.envelope.id) in self._held_anywhere

    def knows(self, service: str, cause: str) -> bool:
        """Whether an aggregate of a service has applied a cause."""
        return (service, cause) in self._known

    def set_aside(self, service: str, position: str) -> bool:
        """Whether a service has set aside the record at `topic/partition/offset` as unreadable or refused."""
        return (service, position) in self._positions

    # Times from which something is certain: its events were published, so its state was saved before.

    def first_at(self, id_: str) -> int | None:
        """When the first event of an aggregate was sent to the broker; None: none was."""
        return min((each.at for each in self._said_of.get(id_, ())), default=None)

    def unchanged_since(self, owner: Stored) -> int | None:
        """When the latest event of an aggregate was sent to the broker; None: not everything stored is published."""
        said = self._said_of.get(owner.id, ())
        return max(each.at for each in said) if said and len(said) == owner.seq else None

    def said_of(self, id_: str) -> Iterator[Said]:
        """The events of one aggregate, each once."""
        yield from self._said_of.get(id_, ())

    @cached_property
    def _said_of(self) -> Mapping[str, list[Said]]:
        found: dict[str, list[Said]] = {}
        for topic in EVENT_TOPICS:
            for each in self.world.first_said(topic.name).values():
                found.setdefault(each.envelope.subject, []).append(each)
        return found

    @cached_property
    def declarations_of(self) -> Mapping[str, list[Stored]]:
        """UCR → its declarations."""
        found: dict[str, list[Stored]] = {}
        for each in self.world.of("declarations", "declarations"):
            found.setdefault(each.state.get("declaration", {}).get("ucr", ""), []).append(each)
        return found


def _position(delivery: Mapping[str, Any]) -> str:
    return f"{delivery['topic']}/{delivery['partition']}/{delivery['offset']}"
