"""Breaks of sending mail: see `chaos.sabotage`. The registry is not there; every firm has one address."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chassis.waiting import Effects, Taken
from notifications.contacts import Contact
from notifications.mail import Handover, Mail, SmtpPost
from notifications.registry_client import RegistryContacts

Die = Callable[[], None]


def die_before_noting(die: Die) -> None:
    _answer_for_the_registry()
    send = SmtpPost.hand_over

    async def sends_and_dies(self: SmtpPost, mail: Mail) -> Handover:
        handover = await send(self, mail)
        if isinstance(handover, Taken):
            die()
        return handover

    SmtpPost.hand_over = sends_and_dies  # type: ignore[method-assign]


def send_without_a_claim(die: Die) -> None:
    die_before_noting(die)

    async def starts_at_once(self: Effects[Any, Any, Any, Any]) -> int:
        due = await self._due.take()
        documents = await self._aggregates.documents.load([each.id for each in due])
        texts = await self._effect.load(list(documents))
        for document in documents.values():
            self.start(self._aggregates.type.codec.decode(document["state"]), texts.get(document["_id"]), {})
        return len(documents)

    def claims_nothing_at_creation(self: Effects[Any, Any, Any, Any], id_: str, route: str) -> None:
        return None

    Effects.start_due = starts_at_once  # type: ignore[method-assign]
    Effects.hold = claims_nothing_at_creation  # type: ignore[method-assign]


def send_under_a_new_id(die: Die) -> None:
    die_before_noting(die)
    send = SmtpPost.hand_over

    async def renames(self: SmtpPost, mail: Mail) -> Handover:
        return await send(self, replace(mail, message_id=f"<{secrets.token_hex(8)}@trade.example>"))

    SmtpPost.hand_over = renames  # type: ignore[method-assign]


def keep_back(die: Die) -> None:
    _answer_for_the_registry()

    async def sends_nothing(self: SmtpPost, mail: Mail) -> Handover:
        die()
        return Taken()

    SmtpPost.hand_over = sends_nothing  # type: ignore[method-assign]


def _answer_for_the_registry() -> None:
    async def one_address(self: RegistryContacts, recipients: Sequence[str]) -> list[Contact | None]:
        return [Contact("desk@firm.example", "en") for _ in recipients]

    RegistryContacts.contacts = one_address  # type: ignore[method-assign]


BREAKS: Mapping[str, Callable[[Die], None]] = {
    "mail-whole": die_before_noting,
    "mail-unclaimed": send_without_a_claim,
    "mail-renamed": send_under_a_new_id,
    "mail-kept-back": keep_back,
}
