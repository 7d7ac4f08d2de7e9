"""Load, decide, save: turns a batch of inputs into changed aggregates and events in their outboxes.

Keeps: an input changes an aggregate once (its cause is in the history); state, events and history line are saved
together or not at all; only stored events are published. Raises only for infrastructure; any other error is the outcome
of one input.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

import structlog

from chassis.aggregates.batch import Batch
from chassis.aggregates.change import Change, write
from chassis.aggregates.deciding import Deciding, log_applied
from chassis.aggregates.document import Document, Loaded, read
from chassis.aggregates.model import AggregateType, Blocked, Failed, Input, Outcome
from chassis.aggregates.publishing import Outbox
from chassis.aggregates.recent import Recent
from chassis.aggregates.store import Documents, Unsent
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import InfrastructureError, at_the_database, is_infrastructure, refuses_document

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")

MAX_LINES = 500
"""If a history is longer, its oldest lines are moved to the history collection."""
_KEPT_LINES = 250

_ATTEMPTS = 20
"""How often a document that loses its race is retried before the batch fails."""

log = structlog.get_logger(__name__)


class Aggregates(Generic[S, C, E]):
    """All aggregates of one type."""

    def __init__(
        self,
        type_: AggregateType[S, C, E],
        documents: Documents,
        outbox: Outbox,
        clock: Clock,
        *,
        topic: str,
        epoch: int = 0,
    ) -> None:
        self.type = type_
        self.topic = topic
        self.documents = documents
        self._outbox = outbox
        self._clock = clock
        self._deciding = Deciding(type_, clock, epoch)
        self._listeners: list[Callable[[S], None]] = []
        self._recent: Recent[S] = Recent()

    def on_saved(self, listener: Callable[[S], None]) -> None:
        """Call `listener` with every state that was saved; it must be quick and must not raise."""
        self._listeners.append(listener)

    async def get(self, id_: str) -> S | None:
        """The state of one aggregate."""
        with at_the_database():
            documents = await self.documents.load([id_])
        return read(self.type, id_, documents[id_]).state if id_ in documents else None

    async def find(self, where: Mapping[str, Any], *, sort: Sequence[tuple[str, int]] = (), limit: int = 0) -> list[S]:
        """States of the documents that match; state fields are named `state.<field>`."""
        with at_the_database():
            found = await self.documents.find(where, sort=sort, limit=limit)
        return [self.type.codec.decode(document["state"]) for document in found if document["state"] is not None]

    async def apply_one(self, input_: Input[C]) -> Outcome[S]:
        """Apply a single input."""
        return (await self.apply([input_]))[0]

    async def apply(
        self, inputs: Sequence[Input[C]], *, unseen: bool = False, recent: bool = False
    ) -> list[Outcome[S]]:
        """Apply inputs, those of one target in the order given; one outcome per input.

        Args:
            unseen: nearly all targets are new. They are not loaded first, which saves a round trip; an existing one
                makes its insert fail, and costs one more.
            recent: what this process just saved is not loaded again. The save detects changes by others. The state
                in a duplicate's outcome may be outdated, so do not answer a caller with it.

        Raises:
            InfrastructureError: or the driver's own; the outcomes are then unknown, and the same inputs may be
                applied again.
        """
        batch: Batch[S, C] = Batch(inputs)
        for attempt in range(_ATTEMPTS):
            first = attempt == 0
            batch.targets = await self._attempt(batch, unseen=unseen and first, recent=recent and first)
            if not batch.targets:
                return batch.outcomes
        raise InfrastructureError(f"{self.type.name} {batch.targets[0]} lost its race {_ATTEMPTS} times in a row")

    async def _attempt(self, batch: Batch[S, C], *, unseen: bool, recent: bool) -> list[str]:
        """Fold and save each target; return those that lost their race, or failed without having been loaded."""
        known = self._recent.take(batch.targets) if recent else {}
        wanted = [] if unseen else [target for target in batch.targets if target not in known]
        with at_the_database():
            documents = await self.documents.load(wanted) if wanted else {}
            passage("load.after")
            older = await self._older_causes(batch, documents)
        token = secrets.token_hex(8)
        changed: list[Loaded[S]] = []
        again: list[str] = []
        for target in batch.targets:
            try:
                loaded = known.get(target) or read(self.type, target, documents.get(target))
            except Exception as error:  # written by a newer release, or of another shape: not touched
                log.error("document_unreadable", aggregate=target, error=str(error))
                batch.fail(target, error)
                continue
            loaded.causes |= older.get(target, {})
            decided = self._deciding.fold(loaded, batch.of(target), token)
            batch.end(target, decided)
            if (unseen or target in known) and isinstance(decided[-1], Failed | Blocked):
                again.append(target)
            elif loaded.changed:
                changed.append(loaded)
            elif loaded.outbox and target in documents:
                # The answer of an earlier save was lost: publish its events without waiting for the sweeper.
                self._outbox.offer(self, loaded.id, documents[target]["key"], loaded.outbox)
        return [*again, *await self._save(changed, batch, token, remember=recent)]

    async def _older_causes(self, batch: Batch[S, C], documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
        """The inputs whose history lines were moved out of their documents."""
        wanted = {
            target: [input_.cause for input_ in batch.of(target)]
            for target, document in documents.items()
            if document.get("moved")
        }
        return await self.documents.older_causes(wanted) if wanted else {}

    async def _save(self, changed: Sequence[Loaded[S]], batch: Batch[S, C], token: str, *, remember: bool) -> list[str]:
        """Save, hand proven saves to the outbox; return the ids that lost their race."""
        changes = await self._changes(changed, batch)
        if not changes:
            return []
        changed = [loaded for loaded in changed if loaded.id in changes]
        try:
            with at_the_database():
                passage("save.before")
                saved = await self.documents.save(list(changes.values()), token)
                passage("save.after")
        except Exception as error:
            if not refuses_document(error):
                raise
            if len(changed) == 1:
                await self._refused(changed[0].id, error, batch)
                return []
            # Bisect to find the faulty document, so that the others are saved.
            half = len(changed) // 2
            first = await self._save(changed[:half], batch, token, remember=remember)
            return first + await self._save(changed[half:], batch, token, remember=remember)
        log_applied(loaded for loaded in changed if loaded.id in saved)
        for loaded in changed:
            if loaded.id in saved:
                await self._hand_on(loaded, changes[loaded.id], remember=remember)
        return [loaded.id for loaded in changed if loaded.id not in saved]

    async def _hand_on(self, loaded: Loaded[S], change: Change, *, remember: bool) -> None:
        """After a save: publish its events, shorten its history, notify listeners."""
        if change.outbox:
            self._outbox.offer(self, change.id, change.key, change.outbox)
        await self.shorten(loaded)
        self._recent.forget(loaded.id)
        if remember:
            self._recent.remember(loaded, change)
        if loaded.state is not None:
            for listener in self._listeners:
                listener(loaded.state)

    async def _changes(self, changed: Sequence[Loaded[S]], batch: Batch[S, C]) -> dict[str, Change]:
        """The changes to write, per aggregate; one that cannot be built fails alone."""
        changes: dict[str, Change] = {}
        for loaded in changed:
            try:
                changes[loaded.id] = write(self.type, loaded, self._outbox.acknowledged(self, loaded.id))
            except Exception as error:
                await self._refused(loaded.id, error, batch)
        return changes

    async def _refused(self, id_: str, error: Exception, batch: Batch[S, C]) -> None:
        """Find and fail the input that makes its document unstorable; those before it are applied one by one."""
        log.error("document_refused", aggregate=id_, error=str(error))
        inputs = batch.of(id_)
        if len(inputs) == 1:
            batch.fail(id_, error)
            return
        outcomes: list[Outcome[S]] = []
        for input_ in inputs:
            if outcomes and isinstance(outcomes[-1], Failed | Blocked):
                outcomes.append(Blocked())
            else:
                outcomes.append(await self.apply_one(input_))
        batch.end(id_, outcomes)

    async def shorten(self, loaded: Loaded[S]) -> None:
        """Move the oldest lines of a long history out; if that fails, the next save tries again."""
        if loaded.length + len(loaded.new_lines) <= MAX_LINES:
            return
        try:
            await self.documents.move_history(loaded.id, _KEPT_LINES)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("history_not_moved", aggregate=loaded.id, error=repr(error))

    async def trim(self, acknowledged: Mapping[str, int]) -> None:
        """Delete acknowledged outbox entries of idle documents."""
        for id_ in acknowledged:
            self._recent.forget(id_)  # it still has the entries that are deleted now
        await self.documents.trim(acknowledged)
        for id_ in acknowledged:
            self._recent.forget(id_)  # a save meanwhile may have remembered it with these entries

    async def unsent(self, older_than: timedelta, limit: int) -> list[Unsent]:
        """Documents with events that have waited longer than `older_than`."""
        return await self.documents.unsent(self._clock.now() - older_than, limit)
