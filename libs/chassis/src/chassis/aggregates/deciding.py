"""Decides inputs on a loaded document: the new state and the events. Does no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import structlog

from chassis.aggregates.document import HistoryLine, Interrupted, Loaded, OutboxEntry
from chassis.aggregates.model import (
    AggregateType,
    Applied,
    Blocked,
    Conflict,
    Duplicate,
    EventTooLarge,
    Failed,
    GivenUp,
    Input,
    Outcome,
)
from chassis.clock import Clock
from chassis.failures import is_infrastructure
from chassis.telemetry import input_spans as steps
from chassis.telemetry import logs
from contracts.topics import MAX_EVENT_BYTES

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")

log = structlog.get_logger(__name__)


def log_applied(saved: Iterable[Loaded[Any]]) -> None:
    """Log applied inputs, after the save: those of a save that lost its race were not applied."""
    if lines := [line for loaded in saved for line in loaded.log_lines]:
        log.info("applied", **logs.each(lines))


class _Encoded(NamedTuple):
    """An event in its published form."""

    type: str
    key: str
    data: str


class Deciding(Generic[S, C, E]):
    """The decisions of one type of aggregate."""

    def __init__(self, type_: AggregateType[S, C, E], clock: Clock, epoch: int) -> None:
        self._type = type_
        self._clock = clock
        self._epoch = epoch

    def fold(self, loaded: Loaded[S], inputs: Sequence[Input[C]], token: str) -> list[Outcome[S]]:
        """Decide inputs in order, each on the state that the previous ones left; one outcome per input.

        After one that fails, the rest are not attempted.
        """
        outcomes: list[Outcome[S]] = []
        for input_ in inputs:
            if outcomes and isinstance(outcomes[-1], Failed | Blocked):
                outcomes.append(Blocked())
            elif input_.cause in loaded.causes and loaded.interrupted(input_.cause) is None:
                known = loaded.causes[input_.cause]
                same = not known or not input_.hash or known == input_.hash
                outcomes.append(Duplicate(loaded.state) if same else Conflict(loaded.state))
            else:
                outcomes.append(self._decide(loaded, input_, token))
        return outcomes

    def _decide(self, loaded: Loaded[S], input_: Input[C], token: str) -> Outcome[S]:
        """Decide one input and fold its events in; on failure the aggregate is unchanged."""
        begun = loaded.interrupted(input_.cause)
        now = self._clock.now() if begun is None else begun.at
        known = self._type.baggage(loaded.state) if loaded.state is not None else {}
        name = input_.span or f"apply {type(input_.command).__name__}"
        with steps.begin(name, input_.trace, links=[loaded.last_trace], known=known) as step:
            try:
                state, encoded = self._encoded(loaded, input_.command, now, begun)
            except Exception as error:
                if is_infrastructure(error):
                    raise
                step.failed(error)
                return Failed(error)
            if state is not None:
                step.know(self._type.baggage(state))
        entries = self._entries(loaded, input_, now, step, encoded)
        events = [entry["id"] for entry in entries]
        loaded.log_lines.append(
            {
                "aggregate": loaded.id,
                "event_id": input_.cause,
                "command": type(input_.command).__name__,
                "events": [entry["type"] for entry in entries],
                **step.log_fields,
            }
        )
        trace = step.headers
        loaded.state, loaded.seq = state, loaded.seq + len(entries)
        loaded.new_entries.extend(entries)
        line = _line(input_, now, token, trace, events)
        if begun is None:
            loaded.new_lines.append(line)
        else:
            loaded.complete(line)
        loaded.causes[input_.cause] = input_.hash
        if entries:
            loaded.last_trace = trace
        return Applied(state, tuple(events)) if entries or begun is None else Duplicate(state)

    def _encoded(
        self, loaded: Loaded[S], command: C, now: datetime, begun: Interrupted | None
    ) -> tuple[S | None, list[_Encoded]]:
        """The state after a command, and its events in published form.

        Raises:
            EventTooLarge: one exceeds the broker's limit.
            Exception: the command was refused, or its handling failed.
        """
        state = loaded.state
        encoded: list[_Encoded] = []
        for event in self._events(loaded, command, now, begun):
            state = self._type.evolve(state, event)
            kind, data = self._type.messages.encode(event, state)
            if len(data) > MAX_EVENT_BYTES:
                raise EventTooLarge(f"{kind} of {loaded.id} has {len(data)} bytes, the limit is {MAX_EVENT_BYTES}")
            encoded.append(_Encoded(kind, self._type.key(state), data.decode()))
        return state, encoded

    def _entries(
        self, loaded: Loaded[S], input_: Input[C], now: datetime, step: steps.Step, encoded: Sequence[_Encoded]
    ) -> list[OutboxEntry]:
        """The outbox entries of an input's events."""
        trace = step.headers
        # The deciding span is lost if the process dies before exporting it; this links past it.
        came_from = (input_.trace or loaded.last_trace).get("traceparent") if step.recorded else None
        entries: list[OutboxEntry] = []
        for seq, each in enumerate(encoded, start=loaded.seq + 1):
            entry = OutboxEntry(
                seq=seq,
                id=f"{loaded.id}/{self._epoch}.{seq}",
                key=each.key,
                type=each.type,
                time=now,
                cause=input_.cause,
                by=input_.actor,
                data=each.data,
                trace=trace,
            )
            if came_from:
                entry["cause_trace"] = {"traceparent": came_from}
            entries.append(entry)
        return entries

    def _events(self, loaded: Loaded[S], command: C, now: datetime, begun: Interrupted | None) -> Sequence[E]:
        """The events of a command; if some were published before a rebuild, only those still missing.

        The command is then decided again on the state and the time of its first decision.
        """
        if isinstance(command, GivenUp):
            return ()
        if begun is None:
            return self._type.decide(loaded.state, command, now)
        before: Mapping[str, Any] | None = begun.before
        state = None if before is None else self._type.codec.decode(before)
        return self._type.decide(state, command, now)[begun.known :]


def _line(input_: Input[Any], now: datetime, token: str, trace: Mapping[str, str], events: list[str]) -> HistoryLine:
    """The history line of a decided input."""
    line = HistoryLine(
        cause=input_.cause, hash=input_.hash, by=input_.actor, at=now, token=token, trace=trace, events=events
    )
    if isinstance(input_.command, GivenUp):
        line["given_up"] = input_.command.why
    return line
