"""How to reach an enterprise: personal data, kept beside the enterprise and erasable.

Each field remembers which command set it and when, so that a command that is repeated late never
overwrites what a younger one said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

LANGUAGES = ("zh", "ru", "en")
FIELDS = ("name", "email", "language")


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When a command was applied; its place in the history tells commands of one millisecond apart."""

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
    """What is known of how to reach an enterprise."""

    fields: Mapping[str, Noted] = field(default_factory=dict)
    drafts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What commands say that are on their way, by command id; it counts when they do."""
    version: int = 0
    """0: not stored yet."""

    def value(self, name: str) -> str:
        """One of `FIELDS`, empty where nothing is known."""
        noted = self.fields.get(name)
        return noted.value if noted else ""


class OtherContent(Exception):
    """The same command set a field to something else before."""


def draft(contact: Contact, given: Mapping[str, str], command_id: str) -> Contact:
    """The contact with what a command says, before it is known whether the command counts.

    Raises:
        OtherContent: the same command said something else before.
    """
    said = {name: value for name, value in given.items() if value}
    noted = {name: each.value for name, each in contact.fields.items() if each.command_id == command_id}
    if contact.drafts.get(command_id, said) != said or any(noted.get(name, said[name]) != said[name] for name in said):
        raise OtherContent(command_id)
    if command_id in contact.drafts or noted.keys() >= said.keys():
        return contact
    return replace(contact, drafts={**contact.drafts, command_id: said})


def without_draft(contact: Contact, command_id: str) -> Contact:
    """The contact without what a command says."""
    if command_id not in contact.drafts:
        return contact
    return replace(contact, drafts={id_: said for id_, said in contact.drafts.items() if id_ != command_id})


def merge(contact: Contact, given: Mapping[str, str], command_id: str, moment: Moment) -> Contact:
    """The contact after a command; empty values leave what is there, and so do fields of younger commands."""
    fields = dict(contact.fields)
    for name, value in given.items():
        known = fields.get(name)
        if value and (known is None or known.moment < moment):
            fields[name] = Noted(value, moment, command_id)
    return contact if fields == contact.fields else replace(contact, fields=fields)
