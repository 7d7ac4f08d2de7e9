"""How to reach an enterprise: personal data, kept beside the enterprise and erasable.

Each field remembers which command set it and when, so that a command that is repeated late never
overwrites what a younger one said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    version: int = 0
    """0: not stored yet."""

    def value(self, name: str) -> str:
        """One of `FIELDS`, empty where nothing is known."""
        noted = self.fields.get(name)
        return noted.value if noted else ""


class OtherContent(Exception):
    """The same command set a field to something else before."""


def merge(contact: Contact, given: Mapping[str, str], command_id: str, moment: Moment) -> Contact:
    """The contact after a command; empty values leave what is there.

    Raises:
        OtherContent: the command said something else when it was applied.
    """
    fields = dict(contact.fields)
    for name, value in given.items():
        known = fields.get(name)
        if not value:
            continue
        if known is not None and known.command_id == command_id:
            if known.value != value:
                raise OtherContent(name)
        elif known is None or known.moment < moment:
            fields[name] = Noted(value, moment, command_id)
    return contact if fields == contact.fields else Contact(fields, contact.version)
