"""Contract suite of the claim and contact stores, in memory and in MongoDB."""

from datetime import UTC, datetime

from services.registry.tests.registry_builders import ALTYN, LEI, TAUGE

from registry.claims import Claim
from registry.domain.contact import Contact, Moment, Noted

AT = Moment(datetime(2026, 11, 24, 8, tzinfo=UTC), 0)


async def test_a_number_is_claimed_once(ports):
    first = Claim(LEI, ALTYN, ("c-1",))
    assert await ports.claims.insert(first)
    assert not await ports.claims.insert(Claim(LEI, TAUGE, ("c-2",)))
    assert await ports.claims.load([LEI, ALTYN]) == {LEI: first}


async def test_a_claim_is_replaced_only_as_it_was_read(ports):
    await ports.claims.insert(Claim(LEI, ALTYN, ("c-1",)))
    assert await ports.claims.replace(Claim(LEI, TAUGE, ("c-2",), 2), 1)
    assert not await ports.claims.replace(Claim(LEI, ALTYN, ("c-3",), 2), 1)
    assert not await ports.claims.replace(Claim(TAUGE, ALTYN, ("c-3",), 2), 1)
    assert await ports.claims.load([LEI, TAUGE]) == {LEI: Claim(LEI, TAUGE, ("c-2",), 2)}


async def test_a_contact_is_saved_only_as_it_was_read(ports):
    contact = Contact({"name": Noted("Алтын", AT, "c-1")})
    assert await ports.contacts.save(ALTYN, contact)
    assert not await ports.contacts.save(ALTYN, contact)
    stored = (await ports.contacts.load([ALTYN]))[ALTYN]
    assert stored == Contact(contact.fields, version=1)
    drafts = {"c.3": {"email": "a@b.kz"}}
    younger = Contact({"name": Noted("Altyn", AT, "c-2")}, drafts, stored.version)
    assert await ports.contacts.save(ALTYN, younger)
    assert not await ports.contacts.save(ALTYN, Contact({}, version=stored.version))
    assert (await ports.contacts.load([ALTYN]))[ALTYN].drafts == drafts
    assert (await ports.contacts.load([ALTYN]))[ALTYN].value("name") == "Altyn"


async def test_an_erased_contact_is_gone(ports):
    await ports.contacts.save(ALTYN, Contact({"email": Noted("a@b.kz", AT, "c-1")}))
    await ports.contacts.erase(ALTYN)
    await ports.contacts.erase(ALTYN)
    assert await ports.contacts.load([ALTYN]) == {}
