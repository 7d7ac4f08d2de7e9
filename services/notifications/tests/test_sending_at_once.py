"""A mail with a known address is claimed in the write that creates it, and sent once, within the same limits."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from services.notifications.tests.notification_builders import CARRIER, DECLARANT, IMPORTER, released
from services.notifications.tests.notification_desk import Desk
from services.notifications.tests.notification_fakes import Collecting

from chassis.failures import InfrastructureError
from chassis.waiting import Effects, first_claims
from chassis.waiting.effects import AHEAD_SECONDS
from notifications.domain.notice import Channel, Command, Failure, Notice, Status
from notifications.mail_effect import mail_effect
from notifications.settings import MailSettings
from notifications.texts import StoredText

EVERYBODY = (DECLARANT, IMPORTER, CARRIER)


class DiesBeforeSending(Effects[Notice, Command, StoredText, Failure]):
    """Is killed as soon as the claim is saved."""

    def start(self, state: Notice, material: StoredText | None, trace: Mapping[str, str]) -> None: ...


@pytest.fixture
def post() -> Collecting:
    return Collecting()


@pytest.fixture
async def known(desk: Desk) -> Desk:
    await desk.contacts.contacts(EVERYBODY)
    return desk


async def mails(desk: Desk, ids: list[str]) -> list[Notice]:
    notices = [await desk.state(id_) for id_ in ids]
    return [notice for notice in notices if notice.intent.channel is Channel.EMAIL]


async def test_a_mail_is_claimed_as_it_is_created_and_sent_once(known: Desk, post: Collecting) -> None:
    worker = known.worker(post)
    ids = await known.take(released(), mails=worker)
    await worker.idle()
    sent = await mails(known, ids)
    assert [notice.status for notice in sent] == [Status.SENT] * 3
    assert sorted(mail.message_id for mail in post.given) == sorted(notice.intent.message_id for notice in sent)
    published = Counter(type_.split(".")[3] for type_ in known.outbox.types())
    assert published == {"created": 6, "attempt_started": 3, "sent": 6}
    assert await worker.start_due() == 0


async def test_mails_without_a_place_wait_for_one_with_their_claims(known: Desk, post: Collecting) -> None:
    worker = known.worker(post, at_once=1)
    ids = await known.take(released(), mails=worker)
    assert Counter(notice.status for notice in await mails(known, ids)) == {Status.SENDING: 3}
    await worker.idle()
    assert [notice.status for notice in await mails(known, ids)] == [Status.SENT] * 3
    assert len(post.given) == 3


async def test_a_redelivered_event_claims_nothing(known: Desk, post: Collecting) -> None:
    worker, event = known.worker(post, at_once=3), released()
    await known.take(event, mails=worker)
    await worker.idle()
    await known.take(event, mails=worker)
    await worker.idle()
    assert len(post.given) == 3
    async with first_claims(worker) as claims:
        assert all(claims.hold(f"N-{number}", f"{number}") for number in range(3))


async def test_a_claim_that_could_not_be_saved_is_released(
    known: Desk, post: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = known.worker(post, at_once=3)

    async def away(*_: Any, **__: Any) -> None:
        raise InfrastructureError("away")

    with monkeypatch.context() as broken, pytest.raises(InfrastructureError):
        broken.setattr(known.notices, "apply", away)
        await known.take(released(), mails=worker)
    assert post.given == []
    ids = await known.take(released(), mails=worker)
    await worker.idle()
    assert [notice.status for notice in await mails(known, ids)] == [Status.SENT] * 3


async def test_after_a_kill_before_sending_the_mail_goes_out_when_the_lease_ends(known: Desk, post: Collecting) -> None:
    dying = DiesBeforeSending(known.notices, mail_effect(known.texts, post), MailSettings().limits, known.clock)
    ids = await known.take(released(), mails=dying)
    worker = known.worker(post)
    assert await worker.start_due() == 0
    await known.clock.advance(seconds=15 + AHEAD_SECONDS + 1)
    assert await worker.start_due() == 3
    await worker.idle()
    assert [(notice.status, notice.attempts) for notice in await mails(known, ids)] == [(Status.SENT, 2)] * 3
    assert len({mail.message_id for mail in post.given}) == 3
