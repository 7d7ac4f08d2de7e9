"""Contacts of enterprises, kept consistent with the commands that set them.

A command's contact is stored as a draft before its enterprise is saved, and takes effect once the
enterprise's history contains the command. If the command is killed in between, the next read merges
the draft. Drafts are stored in the same erasable document.
"""

from collections.abc import Mapping, Sequence

from chassis.failures import InfrastructureError
from registry.claims import ABANDONED
from registry.domain.contact import Contact, Moment, draft, merge, without_draft
from registry.ports import Ports
from registry.rounds import ROUNDS, rounds


async def draft_contact(ports: Ports, id_: str, given: Mapping[str, str], command_id: str) -> None:
    """Store a command's contact as a draft until the command is applied; harmless to repeat.

    Raises:
        OtherContent: the same command came with another contact before.
    """
    async for _ in rounds():
        stored = (await ports.contacts.load([id_])).get(id_, Contact())
        drafted = draft(stored, given, command_id)
        if drafted is stored or await ports.contacts.save(id_, drafted):
            return
    raise _changed_by_others(id_)


async def drop_draft(ports: Ports, id_: str, command_id: str) -> None:
    """Delete the draft of a refused command."""
    async for _ in rounds():
        stored = (await ports.contacts.load([id_])).get(id_, Contact())
        rest = without_draft(stored, command_id)
        if rest is stored or await ports.contacts.save(id_, rest):
            return
    raise _changed_by_others(id_)


async def load_contacts(ports: Ports, ids: Sequence[str]) -> dict[str, Contact]:
    """The contacts of enterprises, after merging drafts of applied commands; one query if there are no drafts."""
    found = await ports.contacts.load(ids)
    async for _ in rounds():
        drafted = [id_ for id_ in found if found[id_].drafts]
        documents = await ports.enterprises.documents.load(drafted) if drafted else {}
        again = []
        for id_ in drafted:
            noted = _noted(found[id_], documents.get(id_, {}).get("history", ()))
            if noted is not found[id_]:
                again.append(id_)
                await ports.contacts.save(id_, noted)
        if not again:
            return found
        found |= await ports.contacts.load(again)
    raise _changed_by_others(", ".join(again))


def _noted(contact: Contact, history: Sequence[Mapping[str, object]]) -> Contact:
    """The contact with the drafts of commands in the history merged; other drafts stay."""
    for place, line in enumerate(history):
        command_id, at = str(line["cause"]), line["at"]
        if command_id in contact.drafts:
            if line["hash"] != ABANDONED:
                contact = merge(contact, contact.drafts[command_id], command_id, Moment(at, place))  # type: ignore[arg-type]  # documents hold datetimes here
            contact = without_draft(contact, command_id)
    return contact


def _changed_by_others(id_: str) -> InfrastructureError:
    return InfrastructureError(f"the contact of {id_} was changed concurrently in {ROUNDS} rounds")
