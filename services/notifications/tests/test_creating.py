"""From an event to its notices: addressed in the same write if the contact is cached, looked up otherwise."""

from collections import Counter
from collections.abc import Sequence

import pytest
from services.notifications.tests.notification_builders import CARRIER, DECLARANT, IMPORTER, released
from services.notifications.tests.notification_desk import Desk
from services.notifications.tests.notification_fakes import FakeRegistry

from notifications import contacts as contacts_module
from notifications.contacts import ASK_AGAIN_SECONDS, CACHED_SECONDS, MAX_CACHED, Contact, KnownContacts
from notifications.domain.notice import Status

EVERYBODY = (DECLARANT, IMPORTER, CARRIER)


async def statuses(desk: Desk, ids: Sequence[str]) -> list[Status]:
    return [(await desk.state(id_)).status for id_ in ids]


async def test_notices_to_cached_recipients_are_addressed_in_the_write_that_creates_them(desk: Desk) -> None:
    await desk.contacts.contacts(EVERYBODY)
    ids = await desk.take(released())
    assert await statuses(desk, ids) == [Status.SENT, Status.READY] * 3
    assert desk.outbox.types().count("trade.notifications.notice.created.v1") == len(ids)
    assert "trade.notifications.notice.addressed.v1" not in desk.outbox.types()
    texts = await desk.texts.load(ids)
    assert {texts[id_].language for id_ in ids} == {"zh", "ru", "en"}
    assert len(desk.registry.asked) == 1


async def test_recipients_that_are_not_cached_are_looked_up_in_one_query(desk: Desk) -> None:
    await desk.contacts.contacts([CARRIER])
    ids = await desk.take(released())
    assert await statuses(desk, ids) == [Status.SENT, Status.READY] * 3
    assert [sorted(each) for each in desk.registry.asked] == [[CARRIER], sorted((DECLARANT, IMPORTER))]


async def test_a_recipient_without_an_address_gets_the_inbox_notice_and_its_mail_is_given_up(desk: Desk) -> None:
    del desk.registry.known[CARRIER]
    ids = await desk.take(released())
    assert Counter(await statuses(desk, ids)) == {Status.SENT: 3, Status.READY: 2, Status.GIVEN_UP: 1}


@pytest.mark.parametrize("registry_is", ["away", "silent"])
async def test_an_unreachable_registry_delays_no_notice_and_is_not_queried_for_a_while(
    desk: Desk, registry_is: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts_module, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(desk.registry, registry_is, True)
    ids = await desk.take(released())
    assert set(await statuses(desk, ids)) == {Status.WAITING}
    monkeypatch.setattr(desk.registry, registry_is, False)
    assert await desk.contacts.ask_once(EVERYBODY) == {}
    assert desk.registry.asked == []
    await desk.clock.advance(seconds=ASK_AGAIN_SECONDS)
    assert set(await desk.contacts.ask_once(EVERYBODY)) == set(EVERYBODY)
    assert len(desk.registry.asked) == 1


async def test_recipients_that_could_not_be_looked_up_are_looked_up_outside_the_consumer(desk: Desk) -> None:
    desk.registry.away = True
    ids = await desk.take(released())
    assert set(await statuses(desk, ids)) == {Status.WAITING}
    desk.registry.away = False
    await desk.look_up()
    assert set(await statuses(desk, ids)) == {Status.SENT, Status.READY}
    assert set(await statuses(desk, await desk.take(released()))) == {Status.SENT, Status.READY}


async def test_a_redelivered_event_changes_no_notice_and_restores_no_erased_text(desk: Desk) -> None:
    await desk.contacts.contacts(EVERYBODY)
    event = released()
    ids = await desk.take(event)
    published = desk.outbox.types()
    for recipient in EVERYBODY:
        await desk.texts.erase(recipient)
    assert await desk.take(event) == ids
    assert desk.outbox.types() == published
    assert await desk.texts.load(ids) == {}


async def test_after_a_kill_between_text_and_notice_the_first_text_is_used(desk: Desk) -> None:
    await desk.contacts.contacts(EVERYBODY)
    event = released()
    apply, desk.notices.apply = desk.notices.apply, None  # type: ignore[assignment, method-assign]
    with pytest.raises(TypeError):
        await desk.take(event)
    desk.notices.apply = apply  # type: ignore[method-assign]
    desk.registry.known[DECLARANT] = Contact("declarant@qingdao.example", "en")
    await desk.contacts.contacts(EVERYBODY)
    ids = await desk.take(event)
    notices = [await desk.state(id_) for id_ in ids]
    texts = await desk.texts.load(ids)
    assert {notice.language for notice in notices if notice.intent.recipient == DECLARANT} == {"zh"}
    assert all(texts[notice.intent.id].language == notice.language for notice in notices)


async def test_a_contact_is_cached_for_a_minute(desk: Desk) -> None:
    await desk.contacts.contacts([DECLARANT])
    await desk.clock.advance(seconds=CACHED_SECONDS)
    assert desk.contacts.known(DECLARANT) is not None
    await desk.clock.advance(seconds=1)
    assert desk.contacts.known(DECLARANT) is None


async def test_a_contact_without_an_address_is_not_cached(desk: Desk) -> None:
    desk.registry.known[IMPORTER] = Contact("", "ru")
    del desk.registry.known[CARRIER]
    await desk.contacts.contacts(EVERYBODY)
    assert [desk.contacts.known(each) is not None for each in EVERYBODY] == [True, False, False]


async def test_a_removed_address_is_dropped_from_the_cache(desk: Desk) -> None:
    await desk.contacts.contacts([DECLARANT])
    desk.registry.known[DECLARANT] = Contact("", "zh")
    await desk.contacts.contacts([DECLARANT])
    assert desk.contacts.known(DECLARANT) is None


async def test_the_cache_is_bounded(desk: Desk) -> None:
    firms = [f"CN-USCC:{number}" for number in range(MAX_CACHED + 1)]
    contacts = KnownContacts(FakeRegistry({firm: Contact("a@b.example", "zh") for firm in firms}), desk.clock)
    await contacts.contacts(firms)
    assert [contacts.known(firm) is not None for firm in (firms[0], firms[1], firms[-1])] == [False, True, True]
