"""Use cases: partner events find their declarations; lodged declarations are looked up at the registry.

An early event and its declaration find each other because each side is saved before it queries the
other: the event is stored before the query for declarations, the declaration is saved before `LookUp`
queries for stored events. `early_events.Sweeper` retries what both missed.
"""

from collections.abc import Sequence
from typing import Any

from chassis.aggregates import Input, Outcome
from chassis.delivery import Delivery, Event, to_input
from contracts.partners.v1 import PartnerEvent
from contracts.values import Classifier
from declarations.aggregate import Declarations
from declarations.domain import number
from declarations.domain.commands import AnswerParties, Command
from declarations.domain.state import State, Status
from declarations.early_events import Joiner, Waiting, find_concerned
from declarations.messages import claim, references_of
from declarations.ports import KeptEvent, PartnerEvents, Registry, SerialRequest, Serials


class PartnerEventHandler:
    """Stores every partner event and delivers actual ones to the declarations that they concern."""

    def __init__(self, declarations: Declarations, events: PartnerEvents, waiting: Waiting) -> None:
        self._declarations = declarations
        self._events = events
        self._waiting = waiting

    async def targets(self, events: Sequence[Event]) -> Sequence[Sequence[str]]:
        kept = [to_kept(event) for event in events]
        await self._events.keep(kept)
        actual = [each for each in kept if each.classifier == Classifier.ACTUAL]
        found = await find_concerned(self._declarations, actual)
        await self._waiting.wait([each for each in actual if not found[each.id]])
        return [found.get(each.id, []) for each in kept]

    async def apply(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome[Any]]:
        inputs = [to_input(delivery, _command(delivery.event)) for delivery in deliveries]
        return await self._declarations.apply(inputs, recent=True)

    def aggregates_of(self, _target: str) -> Declarations:
        return self._declarations


class LookUp:
    """Pending work of a lodged declaration: apply early events to it, and query the registry for its parties."""

    def __init__(self, joiner: Joiner, registry: Registry, serials: Serials) -> None:
        self._joiner = joiner
        self._registry = registry
        self._serials = serials

    async def __call__(self, states: Sequence[State]) -> Sequence[Input[Command] | None]:
        """The command of each declaration. If the registry is unreachable, raises its error and all wait."""
        await self._joiner.join_early(states)
        standings = await self._registry.standings([party for state in states for party in state.declaration.parties])
        serials = await self._serials.reserve([serial_request(state) for state in states])
        return [
            Input(
                target=state.id,
                cause=f"{state.id}/registry/{state.version}",
                command=AnswerParties(
                    version=state.version,
                    standings={index: standings[party] for index, party in enumerate(state.declaration.parties)},
                    serial=serial,
                ),
                actor="service:declarations",
                span="look up parties",
            )
            for state, serial in zip(states, serials, strict=True)
        ]


async def restore_serials(declarations: Declarations, serials: Serials) -> None:
    """Reserve the serials of all declarations again, after a rebuild of the database."""
    held = await declarations.find({"state.status": {"$nin": [Status.SUBMITTED.value, Status.REJECTED.value]}})
    await serials.reserve([serial_request(state) for state in held])


def serial_request(state: State) -> SerialRequest:
    declaration = state.declaration
    return SerialRequest(state.id, number.office_digits(declaration.customs_office), declaration.direction)


def to_kept(event: Event) -> KeptEvent:
    """A partner event in its stored form."""
    payload = event.payload
    assert isinstance(payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return KeptEvent(
        id=event.envelope.id,
        type=event.envelope.type,
        classifier=payload.classifier.value,
        references=references_of(payload),
        occurred_at=payload.occurred_at,
        received_at=payload.received_at,
        publisher=payload.publisher,
        actor=event.envelope.actor,
        data=event.raw.decode(),
        trace=event.envelope.trace,
    )


def _command(event: Event) -> Command:
    assert isinstance(event.payload, PartnerEvent)  # noqa: S101 - the subscription says so
    return claim(event.envelope.id, event.envelope.type, event.payload)
