"""One mail to one recipient: composed so that no value can become a header, handed over within a time limit."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Protocol

import aiosmtplib

from chassis.waiting import NotTaken, Taken
from notifications.domain.notice import Failure, Reason
from notifications.settings import SmtpSettings

_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True)
class Mail:
    message_id: str
    to: str
    subject: str
    body: str
    language: str
    written_at: datetime


Handover = Taken | NotTaken[Failure]
"""How handing one over can end."""


class Post(Protocol):
    async def hand_over(self, mail: Mail) -> Handover:
        """Give a mail to the server. Never raises for what a server or network does."""
        ...


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The message as it goes out.

    Raises:
        ValueError: a header value holds a line break.
    """
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, subtype="plain", charset="utf-8", cte="base64")
    message["Content-Language"] = mail.language  # after the content, which takes such headers away
    return message


class SmtpPost:
    """The real mail server."""

    def __init__(self, settings: SmtpSettings, *, attempt_seconds: float) -> None:
        self._settings = settings
        self._attempt_seconds = attempt_seconds
        self._tls = ssl.create_default_context(cafile=settings.ca_file) if settings.starttls else None

    async def hand_over(self, mail: Mail) -> Handover:
        message = compose(mail, self._settings.sender)
        try:
            async with asyncio.timeout(self._attempt_seconds):
                await self._send(message, mail.to)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return judge(error)
        return Taken()

    async def _send(self, message: EmailMessage, to: str) -> None:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.get_secret_value() or None,
            start_tls=settings.starttls,
            tls_context=self._tls,
            timeout=self._attempt_seconds,
        )
        try:
            await client.connect()
            await client.send_message(message, sender=settings.sender, recipients=[to])
        finally:
            # Not QUIT: what was taken is taken, and a server that hangs now must not cost another attempt.
            client.close()


def judge(error: Exception) -> NotTaken[Failure]:
    """What a failure means. Final is only what the server says about this recipient or this message.

    A refused login, greeting or sender is a fault of our settings or of the server: it is mended, not given up.
    """
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _by_code(error.recipients[0].code)
        case aiosmtplib.SMTPRecipientRefused() | aiosmtplib.SMTPDataError():
            return _by_code(error.code)
        case aiosmtplib.SMTPAuthenticationError():
            return NotTaken(Failure(Reason.NOT_AUTHENTICATED, error.code))
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPResponseException():
            return NotTaken(Failure(Reason.DEFERRED, error.code))
        case TimeoutError():
            return NotTaken(Failure(Reason.TIMED_OUT))
        case _:
            return NotTaken(Failure(Reason.SERVER_AWAY))


def _by_code(code: int) -> NotTaken[Failure]:
    final = code in _PERMANENT
    return NotTaken(Failure(Reason.REFUSED if final else Reason.DEFERRED, code), final)
