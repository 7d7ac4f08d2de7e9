"""A mail whose address is known is claimed in the write that creates it, and sent: once, and within the same bounds."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.delivery.records import Event
from chassis.failures import InfrastructureError
from notifications.domain.notice import Channel, Notice, Status
from notifications.mail_worker import MailWorker
from notifications.testing import CARRIER, DECLARANT, IMPORTER, Collecting, Desk, an_event
from notifications.texts import StoredText

EVERYBODY = (DECLARANT, IMPORTER, CARRIER)
GUARD = dict.fromkeys(("accepted", "control_done", "no_holds", "money_settled", "presented"), True)


class DiesBeforeSending:
    """Claims, and is killed once that is saved."""

    def __init__(self, now: datetime) -> None:
        self._lease_until = now + timedelta(seconds=40)

    def claim(self, notice_id: str, route: str) -> datetime:
        return self._lease_until

    def give_back(self, notice_id: str) -> None: ...

    def start(self, notice: Notice, text: StoredText | None, trace: Mapping[str, str]) -> None: ...


def released() -> Event:
    """All three are told, by inbox and mail each."""
    return an_event("released", released_at="2026-01-20T16:00:00+08:00", guard=GUARD)


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
    ids = await known.take(released(), sender=worker)
    await worker.idle()
    sent = await mails(known, ids)
    assert [notice.status for notice in sent] == [Status.SENT] * 3
    assert sorted(mail.message_id for mail in post.given) == sorted(notice.intent.message_id for notice in sent)
    published = Counter(type_.split(".")[3] for type_ in known.outbox.types())
    assert published == {"created": 6, "attempt_started": 3, "sent": 6}
    assert await worker.start_due() == 0


async def test_what_finds_no_room_is_sent_when_there_is(known: Desk, post: Collecting) -> None:
    worker = known.worker(post, at_once=1)
    ids = await known.take(released(), sender=worker)
    assert Counter(notice.status for notice in await mails(known, ids)) == {Status.SENDING: 1, Status.READY: 2}
    await worker.idle()
    while await worker.start_due():
        await worker.idle()
    assert [notice.status for notice in await mails(known, ids)] == [Status.SENT] * 3
    assert len(post.given) == 3


async def test_one_domain_takes_no_more_than_its_share_at_once(known: Desk, post: Collecting) -> None:
    worker = known.worker(post, at_once_per_domain=1)
    claimed = [worker.claim(f"N-{number}", "one domain") for number in range(2)]
    assert [each is not None for each in claimed] == [True, False]
    assert worker.claim("N-3", "another domain") is not None


async def test_a_redelivered_event_claims_nothing(known: Desk, post: Collecting) -> None:
    worker, event = known.worker(post, at_once=3), released()
    await known.take(event, sender=worker)
    await worker.idle()
    await known.take(event, sender=worker)
    await worker.idle()
    assert len(post.given) == 3
    assert all(worker.claim(f"N-{number}", f"{number}") for number in range(3))


async def test_a_claim_that_could_not_be_saved_is_given_back(
    known: Desk, post: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = known.worker(post, at_once=3)

    async def away(*_: Any, **__: Any) -> None:
        raise InfrastructureError("away")

    with monkeypatch.context() as broken, pytest.raises(InfrastructureError):
        broken.setattr(known.notices, "apply", away)
        await known.take(released(), sender=worker)
    assert post.given == []
    ids = await known.take(released(), sender=worker)
    await worker.idle()
    assert [notice.status for notice in await mails(known, ids)] == [Status.SENT] * 3


async def test_killed_before_sending_the_mail_goes_out_when_the_claim_ends(known: Desk, post: Collecting) -> None:
    ids = await known.take(released(), sender=DiesBeforeSending(known.clock.now()))
    worker: MailWorker = known.worker(post)
    assert await worker.start_due() == 0
    await known.clock.advance(seconds=41)
    assert await worker.start_due() == 3
    await worker.idle()
    assert [(notice.status, notice.attempts) for notice in await mails(known, ids)] == [(Status.SENT, 2)] * 3
    assert len({mail.message_id for mail in post.given}) == 3


async def test_a_worker_that_ends_takes_no_more(known: Desk, post: Collecting) -> None:
    worker = known.worker(post)
    await worker._finish()
    ids = await known.take(released(), sender=worker)
    assert [notice.status for notice in await mails(known, ids)] == [Status.READY] * 3
