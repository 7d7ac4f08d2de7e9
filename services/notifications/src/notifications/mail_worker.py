"""Sends mail outside the consumer: claims due notices, hands them over side by side, notes what became of it.

Keeps: an attempt is saved as claimed before a byte goes out; a process that dies between sending
and noting leaves a claim that ends, and the repeat carries the same Message-ID. No domain takes
more than its share of the attempts, so that one that does not answer delays its own mail alone.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from chassis import metrics, telemetry
from chassis.aggregates import Applied, Failed, Input
from chassis.aggregates.document import Document
from chassis.alarm import Alarm
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure
from notifications.domain.life import AttemptNotDue
from notifications.domain.notice import Command, Notice, Reason, RecordFailure, RecordSent, StartAttempt, Status
from notifications.handlers import ACTOR, Notices
from notifications.mail import Handover, Mail, NotTaken, Post, Taken
from notifications.noting import Noting
from notifications.settings import MailSettings
from notifications.texts import StoredText, Texts

INTERVAL_SECONDS = 1.0
NOTE_AGAIN_SECONDS = 0.5
FINISH_SECONDS = 3.0
"""How long a stop waits for attempts in hand."""

log = structlog.get_logger(__name__)


class MailWorker:
    """The one sender of a process."""

    def __init__(self, notices: Notices, texts: Texts, post: Post, clock: Clock, settings: MailSettings) -> None:
        self._notices = notices
        self._texts = texts
        self._post = post
        self._clock = clock
        self._settings = settings
        self._alarm = Alarm(clock)
        self._in_hand: dict[str, str] = {}
        """Notice id → route."""
        self._unreadable: set[str] = set()
        """Left alone by this process, with an alarm: they cannot be changed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._finishing = False
        self._noting = Noting(notices)
        notices.on_saved(self._saved)

    def _saved(self, notice: Notice) -> None:
        if notice.status is Status.READY and notice.send_after is not None:
            self._alarm.set(notice.send_after)

    async def run(self) -> None:
        """Send what is due, for ever; on a stop finish what is in hand."""
        try:
            while True:
                try:
                    while await self.start_due():
                        pass
                except Exception as error:
                    if not is_infrastructure(error):
                        raise
                    metrics.INFRASTRUCTURE_FAILURES.labels("mail").inc()
                    log.warning("mail_waits", error=repr(error)[:300])
                    await self._clock.sleep(INTERVAL_SECONDS)
                    continue
                await self._alarm.rings()
        finally:
            await self._finish()

    async def start_due(self) -> int:
        """Claim due notices as far as there is room, and start their attempts; how many were started."""
        documents = self._within_share(await self._find_due())
        if not documents:
            return 0
        texts = await self._texts.load([document["_id"] for document in documents])
        lease_until = self._clock.now() + timedelta(seconds=self._settings.lease_seconds)
        inputs = [_claim(self._notices.type.codec.decode(each["state"]), each, lease_until) for each in documents]
        started = 0
        passage("claim.before")
        outcomes = await self._notices.apply(inputs, recent=True)
        passage("claim.after")
        for input_, outcome in zip(inputs, outcomes, strict=True):
            match outcome:
                case Applied(Notice() as notice):
                    self.start(notice, texts.get(input_.target), input_.trace)
                    started += 1
                case Failed(AttemptNotDue()):
                    pass  # another replica has it in hand
                case Failed(error):
                    self._unreadable.add(input_.target)
                    log.error("attempt_not_claimed", notice=input_.target, error=repr(error))
                case _:
                    pass  # another replica has claimed this very attempt
        return started

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _find_due(self) -> list[Document]:
        free = self._settings.at_once - len(self._in_hand)
        if free <= 0:
            return []
        shares = Counter(self._in_hand.values())
        full = [route for route, count in shares.items() if count >= self._settings.at_once_per_domain]
        return await self._notices.documents.find(
            {
                "due_at": {"$lte": self._clock.now()},
                "state.route": {"$nin": full},
                "_id": {"$nin": [*self._in_hand, *self._unreadable]},
            },
            sort=[("due_at", 1)],
            limit=free,
        )

    def _within_share(self, documents: Sequence[Document]) -> list[Document]:
        shares = Counter(self._in_hand.values())
        chosen = []
        for document in documents:
            route = document["state"]["route"]
            if shares[route] < self._settings.at_once_per_domain:
                shares[route] += 1
                chosen.append(document)
        return chosen

    def claim(self, notice_id: str, route: str) -> datetime | None:
        """Hold a place for an attempt that is saved as claimed with the notice itself: until when it is held."""
        settings = self._settings
        of_route = sum(each == route for each in self._in_hand.values())
        full = len(self._in_hand) >= settings.at_once or of_route >= settings.at_once_per_domain
        if full or self._finishing or notice_id in self._in_hand:
            return None
        self._in_hand[notice_id] = route
        return self._clock.now() + timedelta(seconds=settings.lease_seconds)

    def give_back(self, notice_id: str) -> None:
        """Nothing comes of a claim."""
        self._in_hand.pop(notice_id, None)
        self._alarm.set(self._clock.now())  # there is room for another

    def start(self, notice: Notice, text: StoredText | None, trace: Mapping[str, str]) -> None:
        """Make an attempt that is saved as claimed."""
        self._in_hand[notice.intent.id] = notice.route
        task = asyncio.create_task(self._attempt(notice, text, trace))
        self._tasks.add(task)

        def done(finished: "asyncio.Task[None]") -> None:
            self._tasks.discard(finished)
            self.give_back(notice.intent.id)

        task.add_done_callback(done)

    async def _attempt(self, notice: Notice, text: StoredText | None, trace: Mapping[str, str]) -> None:
        with telemetry.process_span("send mail", trace, baggage=self._notices.type.baggage(notice)) as span:
            span.set_attributes({"messaging.system": "smtp", "messaging.operation.type": "send"})
            span.set_attribute("messaging.message.id", notice.intent.message_id)
            handover = await self._hand_over(notice, text)
            match handover:
                case Taken():
                    log.info("mail_sent", notice=notice.intent.id, attempt=notice.attempts)
                case NotTaken(reason, reply_code):
                    log.warning("mail_not_taken", notice=notice.intent.id, reason=reason, reply_code=reply_code)
            await self._note(self._outcome(notice, handover))

    async def _hand_over(self, notice: Notice, text: StoredText | None) -> Handover:
        if text is None or not text.email:
            return NotTaken(Reason.ERASED, final=True)
        mail = Mail(notice.intent.message_id, text.email, text.subject, text.body, text.language, text.stored_at)
        try:
            handover = await self._post.hand_over(mail)
            passage("send.after")
        except Exception:
            # Whatever it is, it is this notice's alone: seen in its attempts, and tried again.
            log.exception("mail_not_composed", notice=notice.intent.id)
            return NotTaken(Reason.FAULT)
        return handover

    def _outcome(self, notice: Notice, handover: Handover) -> Input[Command]:
        id_, attempt = notice.intent.id, notice.attempts
        cause = f"{id_}/attempt/{attempt}"
        if isinstance(handover, Taken):
            return Input(id_, f"{cause}/sent", RecordSent(attempt), ACTOR)
        now = self._clock.now()
        waited = (now - notice.since).total_seconds()
        settings = self._settings
        # As long again as it has taken so far: the delays double by themselves.
        delay = min(max(waited, settings.first_retry_seconds), settings.longest_retry_seconds)
        delay *= random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        final = handover.final or waited + delay > settings.give_up_after_seconds
        retry_at = None if final else now + timedelta(seconds=delay)
        return Input(
            id_, f"{cause}/failed", RecordFailure(attempt, handover.reason, handover.reply_code, retry_at), ACTOR
        )

    async def _note(self, input_: Input[Command]) -> None:
        """Save what became of an attempt; while the database is away, for as long as the claim holds."""
        until = self._clock.monotonic() + self._settings.lease_seconds
        while True:
            try:
                outcome = await self._noting.note(input_)
            except Exception as error:
                if not is_infrastructure(error):
                    log.exception("attempt_not_noted", notice=input_.target, cause=input_.cause)
                    return
                if self._clock.monotonic() > until:  # the claim ends: it is sent again, under the same Message-ID
                    log.warning("attempt_not_noted", notice=input_.target, cause=input_.cause, error=repr(error)[:300])
                    return
                await self._clock.sleep(NOTE_AGAIN_SECONDS)
                continue
            if isinstance(outcome, Failed):
                # Tried again by this process it would be sent again and again.
                self._unreadable.add(input_.target)
                log.error("attempt_not_noted", notice=input_.target, cause=input_.cause, error=repr(outcome.error))
            return

    async def _finish(self) -> None:
        self._finishing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=FINISH_SECONDS)
        self._noting.cancel()
        for task in self._tasks:
            task.cancel()


def _claim(notice: Notice, document: Mapping[str, Any], lease_until: datetime) -> Input[Command]:
    """The claim of the next attempt, in the trace of what last happened to the notice."""
    attempt = notice.attempts + 1
    lines = reversed(document["history"])
    return Input(
        target=notice.intent.id,
        cause=f"{notice.intent.id}/attempt/{attempt}",
        command=StartAttempt(attempt, lease_until),
        actor=ACTOR,
        trace=next((line["trace"] for line in lines if line["events"] and line["trace"]), {}),
        span="claim mail attempt",
    )
