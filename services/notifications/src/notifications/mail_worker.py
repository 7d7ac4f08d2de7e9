"""Sends mail outside the consumer: claims due notices, hands them over side by side, notes what became of it.

Keeps: an attempt is saved as claimed before a byte goes out; a process that dies between sending
and noting leaves a claim that ends, and the repeat carries the same Message-ID. No domain takes
more than its share of the attempts, so that one that does not answer delays its own mail alone.
"""

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from chassis import telemetry
from chassis.aggregates import Applied, Failed, Input
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure
from chassis.waiting import SELDOM_SECONDS, Alarm
from notifications.attempts import claim, ending
from notifications.domain.life import AttemptNotDue
from notifications.domain.notice import Command, Notice, Reason, Status
from notifications.due_mails import DueMails
from notifications.handlers import Notices
from notifications.mail import Handover, Mail, NotTaken, Post, Taken
from notifications.noting import Noting
from notifications.settings import MailSettings
from notifications.texts import StoredText, Texts

INTERVAL_SECONDS = 1.0
LOOK_LIMIT = 2_000
MOST_IN_HAND = 10
"""So many times as many as there are places may be in hand: sent, and not noted yet."""
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
        self._due = DueMails()
        self._looked_at = -math.inf
        self._at_server: dict[str, str] = {}
        """Notice id → route, of attempts that hold a place."""
        self._in_hand: set[str] = set()
        """Those, and the ones that are being noted."""
        self._unreadable: set[str] = set()
        """Left alone by this process, with an alarm: they cannot be changed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._finishing = False
        self._noting = Noting(notices)
        notices.on_saved(self._saved)

    def _saved(self, notice: Notice) -> None:
        if notice.status is Status.READY and notice.send_after is not None:
            self._due.add(notice.intent.id, notice.route, notice.send_after)
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
                    telemetry.INFRASTRUCTURE_FAILURES.labels("mail").inc()
                    log.warning("mail_waits", error=repr(error)[:300])
                    await self._clock.sleep(INTERVAL_SECONDS)
                    continue
                await self._alarm.rings()
        finally:
            await self._finish()

    async def start_due(self) -> int:
        """Claim due notices as far as there is room, and start their attempts; how many were started."""
        ids = await self._take_due()
        if not ids:
            return 0
        documents = (await self._notices.documents.load(ids)).values()
        texts = await self._texts.load(ids)
        inputs = [claim(self._notices.type.codec.decode(each["state"]), each, self._lease_until) for each in documents]
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

    async def _take_due(self) -> list[str]:
        """Due notices for which there is room; what this process does not know of is looked for where that is none."""
        now, free = self._clock.now(), self._free
        if free <= 0:
            return []
        if chosen := self._due.take(now, free, self._room):
            return chosen
        if self._clock.monotonic() - self._looked_at < (INTERVAL_SECONDS if self._due.worth_a_look else SELDOM_SECONDS):
            return []
        await self._look(now)
        return self._due.take(now, free, self._room)

    async def _look(self, now: datetime) -> None:
        self._looked_at = self._clock.monotonic()
        limit, full = LOOK_LIMIT + len(self._in_hand), self._due.full_routes
        found = await self._notices.documents.find(
            {
                "due_at": {"$lte": now},
                "state.route": {"$nin": full},
                "_id": {"$nin": sorted(self._unreadable)},
            },
            sort=[("due_at", 1)],
            limit=limit,
            fields=("state.route", "due_at"),
        )
        for document in found:
            if document["_id"] not in self._in_hand:
                self._due.add(document["_id"], document["state"]["route"], document["due_at"])
        self._due.looked(full, more=len(found) == limit)

    @property
    def _lease_until(self) -> datetime:
        """Until when an attempt that is claimed now is held."""
        return self._clock.now() + timedelta(seconds=self._settings.lease_seconds)

    @property
    def _free(self) -> int:
        """For how many attempts there is room; none where too many wait to be noted."""
        noting = len(self._in_hand) >= MOST_IN_HAND * self._settings.at_once
        return 0 if noting or self._finishing else self._settings.at_once - len(self._at_server)

    def _room(self, route: str) -> int:
        return self._settings.at_once_per_domain - sum(each == route for each in self._at_server.values())

    def claim(self, notice_id: str, route: str) -> datetime | None:
        """Hold a place for an attempt that is saved as claimed with the notice itself: until when it is held."""
        if self._free <= 0 or self._room(route) <= 0 or notice_id in self._in_hand:
            return None
        self._hold(notice_id, route)
        return self._lease_until

    def give_back(self, notice_id: str) -> None:
        """Nothing comes of a claim."""
        self._leave(notice_id)
        self._in_hand.discard(notice_id)

    def _hold(self, notice_id: str, route: str) -> None:
        self._at_server[notice_id] = route
        self._in_hand.add(notice_id)

    def _leave(self, notice_id: str) -> None:
        if self._at_server.pop(notice_id, None) is not None:
            self._alarm.set(self._clock.now())  # there is room for another

    def start(self, notice: Notice, text: StoredText | None, trace: Mapping[str, str]) -> None:
        """Make an attempt that is saved as claimed."""
        self._hold(notice.intent.id, notice.route)
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
            self._leave(notice.intent.id)  # to note it takes no place from others
            match handover:
                case Taken():
                    log.info("mail_sent", notice=notice.intent.id, attempt=notice.attempts)
                case NotTaken(reason, reply_code):
                    log.warning("mail_not_taken", notice=notice.intent.id, reason=reason, reply_code=reply_code)
            await self._note(ending(notice, handover, self._clock.now(), self._settings))

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
