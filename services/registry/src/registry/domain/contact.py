"""How to reach an enterprise: personal data, stored apart from the enterprise so that it can be erased.

Each field records which command set it and when, so that a command repeated late never
overwrites the value of a later command.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

LANGUAGES = ("zh", "ru", "en")
FIELDS = ("name", "email", "language")


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When a command was applied; its place in the history orders commands of the same millisecond."""

    at: datetime
    place: int


@dataclass(frozen=True, slots=True)
class Noted:
    """One field as a command set it."""

    value: str
    moment: Moment
    command_id: str


@dataclass(frozen=True, slots=True)
class Contact:
    fields: Mapping[str, Noted] = field(default_factory=dict)
    drafts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Contacts given by pending commands, by command id; merged when the command is applied."""
    version: int = 0
    """0: not stored yet."""

    def value(self, name: str) -> str:
        """The value of one of `FIELDS`, empty if unknown."""
        noted = self.fields.get(name)
        return noted.value if noted else ""


class OtherContent(Exception):
    """The same command set a field to another value before."""


def draft(contact: Contact, given: Mapping[str, str], command_id: str) -> Contact:
    """The contact with a pending command's values as a draft.

    Raises:
        OtherContent: the same command came with other values before.
    """
    said = {name: value for name, value in given.items() if value}
    noted = {name: each.value for name, each in contact.fields.items() if each.command_id == command_id}
    if contact.drafts.get(command_id, said) != said or any(noted.get(name, said[name]) != said[name] for name in said):
        raise OtherContent(command_id)
    if command_id in contact.drafts or noted.keys() >= said.keys():
        return contact
    return replace(contact, drafts={**contact.drafts, command_id: said})


def without_draft(contact: Contact, command_id: str) -> Contact:
    """The contact without a command's draft."""
    if command_id not in contact.drafts:
        return contact
    return replace(contact, drafts={id_: said for id_, said in contact.drafts.items() if id_ != command_id})


def merge(contact: Contact, given: Mapping[str, str], command_id: str, moment: Moment) -> Contact:
    """The contact after a command; empty values change nothing, and values of later commands are kept."""
    fields = dict(contact.fields)
    for name, value in given.items():
        known = fields.get(name)
        if value and (known is None or known.moment < moment):
            fields[name] = Noted(value, moment, command_id)
    return contact if fields == contact.fields else replace(contact, fields=fields)
