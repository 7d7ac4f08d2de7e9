"""Mail as a claimed effect: claimed before sending, repeated with the same Message-ID, one route per domain."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.notifications.tests.notification_builders import an_intent
from services.notifications.tests.notification_desk import Desk
from services.notifications.tests.receiving_mail import Inboxes

from chassis.aggregates import Aggregates, Input, Outcome
from chassis.waiting import NotTaken, Taken
from contracts.topics import NOTIFICATIONS
from notifications.contacts import Contact
from notifications.domain.notice import (
    Channel,
    Command,
    Event,
    Failure,
    Notice,
    Reason,
    RecordSent,
    RequestResend,
    Status,
)
from notifications.handlers import Mails
from notifications.mail import Handover, Mail, SmtpPost
from notifications.mail_effect import mail_effect
from notifications.notices import NOTICE
from notifications.settings import SmtpSettings

DECLARANT = "CN-USCC:91370200MA3C0000X1"
IMPORTER = "RU-INN:7707083893"


@dataclass
class FakePost:
    """Returns the configured results and records the mails."""

    answers: list[Handover | Exception] = field(default_factory=list)
    given: list[Mail] = field(default_factory=list)

    async def hand_over(self, mail: Mail) -> Handover:
        self.given.append(mail)
        answer = self.answers.pop(0) if self.answers else Taken()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def send_due(worker: Mails) -> int:
    started = 0
    while count := await worker.start_due():
        started += count
    await worker.idle()
    return started


async def test_a_ready_mail_is_sent_once(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    post = FakePost()
    worker = desk.worker(post)
    assert await send_due(worker) == 1
    await desk.clock.advance(days=30)
    assert await send_due(worker) == 0
    assert [mail.message_id for mail in post.given] == [f"<{id_}@trade.invalid>"]
    assert (await desk.state(id_)).status is Status.SENT
    assert desk.outbox.types()[-1] == "trade.notifications.notice.sent.v1"


async def test_the_attempt_is_saved_before_a_byte_goes_out(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())

    class Watching(FakePost):
        async def hand_over(self, mail: Mail) -> Handover:
            notice = await desk.state(id_)
            assert (notice.status, notice.attempts) == (Status.SENDING, 1)
            return await super().hand_over(mail)

    post = Watching()
    await send_due(desk.worker(post))
    assert len(post.given) == 1
    assert (await desk.state(id_)).status is Status.SENT


async def test_a_crash_between_sending_and_recording_repeats_with_the_same_message_id(
    desk: Desk, inboxes: Inboxes
) -> None:
    (id_,) = await desk.ready(an_intent())
    post = SmtpPost(SmtpSettings(host="127.0.0.1", port=inboxes.port), attempt_seconds=5)

    class Dies(Exception):
        pass

    class Broken(Aggregates[Notice, Command, Event]):
        """Dies before it saves that a mail was sent."""

        async def apply(self, inputs: Sequence[Input[Command]], **how: bool) -> list[Outcome[Notice]]:
            if any(isinstance(each.command, RecordSent) for each in inputs):
                raise Dies
            return await super().apply(inputs, **how)

    dying = Broken(NOTICE, desk.notices.documents, desk.outbox, desk.clock, topic=NOTIFICATIONS.name)
    whole, desk.notices = desk.notices, dying
    await send_due(desk.worker(post))
    desk.notices = whole
    assert (await desk.state(id_)).status is Status.SENDING
    assert len(inboxes.taken) == 1

    survivor = desk.worker(post)
    assert await send_due(survivor) == 0, "the claim still holds"
    await desk.clock.advance(seconds=15)
    assert await send_due(survivor) == 1
    assert [message["Message-ID"] for message in inboxes.taken] == [f"<{id_}@trade.invalid>"] * 2
    notice = await desk.state(id_)
    assert (notice.status, notice.attempts) == (Status.SENT, 2)


async def test_a_mail_that_is_never_accepted_is_given_up(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    worker = desk.worker(FakePost(answers=[NotTaken(Failure(Reason.SERVER_AWAY))] * 100), give_up_after_seconds=3600)
    for _ in range(100):
        await send_due(worker)
        notice = await desk.state(id_)
        if notice.send_after is None:
            break
        await desk.clock.advance(seconds=(notice.send_after - desk.clock.now()).total_seconds())
    assert (notice.status, notice.reason) == (Status.GIVEN_UP, Reason.SERVER_AWAY)
    assert desk.outbox.types()[-1] == "trade.notifications.notice.given_up.v1"


async def test_each_domain_has_its_own_route(desk: Desk) -> None:
    ids = await desk.ready(an_intent(), an_intent(recipient=IMPORTER), an_intent(recipient=IMPORTER))
    post = FakePost()
    worker = desk.worker(post, at_once_per_domain=1)
    assert await worker.start_due() == 2
    await worker.idle()
    assert {mail.to for mail in post.given} == {"declarant@qingdao.example", "importer@moscow.example"}
    await send_due(worker)
    assert [(await desk.state(id_)).status for id_ in ids] == [Status.SENT] * 3


async def test_a_resend_does_not_wait_for_the_scheduled_retry(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    post = FakePost(answers=[NotTaken(Failure(Reason.SERVER_AWAY))])
    worker = desk.worker(post, first_retry_seconds=3600)
    await send_due(worker)
    await desk.notices.apply_one(Input(id_, "command/1", RequestResend("server is mended"), "staff:li"))
    await desk.look_up()
    assert await send_due(worker) == 1
    assert (await desk.state(id_)).status is Status.SENT


async def test_a_permanent_refusal_is_given_up_at_once_and_says_why(desk: Desk, inboxes: Inboxes) -> None:
    inboxes.answer_rcpt["declarant@qingdao.example"] = "550 no such user"
    (id_,) = await desk.ready(an_intent())
    await send_due(desk.worker(SmtpPost(SmtpSettings(host="127.0.0.1", port=inboxes.port), attempt_seconds=5)))
    notice = await desk.state(id_)
    assert (notice.status, notice.reason, notice.reply_code) == (Status.GIVEN_UP, Reason.REFUSED, 550)


async def test_a_recipient_whose_server_is_silent_delays_nobody_on_a_real_server(desk: Desk, inboxes: Inboxes) -> None:
    inboxes.silent_domains.add("qingdao.example")
    await desk.ready(*(an_intent() for _ in range(6)))
    quick = await desk.ready(*(an_intent(recipient=IMPORTER) for _ in range(6)))
    post = SmtpPost(SmtpSettings(host="127.0.0.1", port=inboxes.port), attempt_seconds=2)
    worker = desk.worker(post, at_once=6, at_once_per_domain=2)
    await send_due(worker)
    states = [(await desk.state(id_)).status for id_ in quick]
    while Status.READY in states:
        await send_due(worker)
        states = [(await desk.state(id_)).status for id_ in quick]
    assert set(states) == {Status.SENT}
    assert len(inboxes.taken) == 6


async def test_a_dead_mail_server_does_not_affect_the_inbox(desk: Desk) -> None:
    mail_id, inbox_id = await desk.ready(an_intent(), an_intent(Channel.INBOX))
    await send_due(desk.worker(FakePost(answers=[NotTaken(Failure(Reason.SERVER_AWAY))])))
    assert (await desk.state(mail_id)).status is Status.READY
    assert (await desk.state(inbox_id)).status is Status.SENT
    assert [text.notice_id for text in await desk.texts.inbox(DECLARANT, None, 10)] == [inbox_id]


async def test_a_mail_that_cannot_be_composed_affects_no_other(desk: Desk) -> None:
    ids = await desk.ready(an_intent(), an_intent(recipient=IMPORTER))
    await send_due(desk.worker(FakePost(answers=[ValueError("no")])))
    states = {(await desk.state(id_)).status for id_ in ids}
    assert states == {Status.READY, Status.SENT}
    failed = next(each for each in [await desk.state(id_) for id_ in ids] if each.status is Status.READY)
    assert failed.reason is Reason.FAULT


async def test_an_erased_text_is_not_sent(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    await desk.texts.erase(DECLARANT)
    post = FakePost()
    await send_due(desk.worker(post))
    notice = await desk.state(id_)
    assert (notice.status, notice.reason, post.given) == (Status.GIVEN_UP, Reason.ERASED, [])


async def test_a_resend_goes_to_the_new_address_with_the_old_text_and_message_id(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    post = FakePost()
    worker = desk.worker(post)
    await send_due(worker)
    desk.registry.known[DECLARANT] = Contact("new@shanghai.example", "en")
    await desk.notices.apply_one(Input(id_, "command/1", RequestResend("bounced"), "staff:li"))
    await desk.look_up()
    await send_due(worker)
    first, second = post.given
    assert (first.to, second.to) == ("declarant@qingdao.example", "new@shanghai.example")
    assert (first.subject, first.body, first.message_id) == (second.subject, second.body, second.message_id)
    assert (await desk.state(id_)).status is Status.SENT


async def test_sending_continues_the_trace_of_the_notice(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    await send_due(desk.worker(FakePost()))
    history = (await desk.notices.documents.load([id_]))[id_]["history"]
    causes = [line["cause"] for line in history]
    assert causes[1:] == [f"{id_}/address/1", f"{id_}/attempt/1", f"{id_}/attempt/1/sent"]


async def test_the_route_is_stored_under_the_name_by_which_it_is_looked_for(desk: Desk) -> None:
    (id_,) = await desk.ready(an_intent())
    notice = await desk.notices.get(id_)
    assert notice is not None
    route = mail_effect(desk.texts, FakePost()).route
    assert route.of(notice) == NOTICE.codec.encode(notice)[route.field] != ""
