"""Composes one mail to one recipient, safe from header injection, and hands it to the server within a time limit."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Protocol

import aiosmtplib

from chassis.waiting import NotTaken, Taken
from notifications.domain.notice import Failure, Reason
from notifications.settings import SmtpSettings
from notifications.smtp_connections import Connections

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
"""The result of handing a mail over."""


class Post(Protocol):
    async def hand_over(self, mail: Mail) -> Handover:
        """Hand a mail to the server. Faults of server or network are a result, never an exception."""
        ...


_CRLF = compat32.clone(linesep="\r\n")
"""The library's newer policies parse header values, which would take two thirds of this process's time per mail."""


def compose(mail: Mail, sender: str) -> bytes:
    """The message to send.

    Raises:
        ValueError: a header value contains a line break.
    """
    message = MIMEText(mail.body.replace("\n", "\r\n"), "plain", "utf-8", policy=_CRLF)
    headers = {
        "From": sender,
        "To": mail.to,
        "Subject": mail.subject,
        "Date": format_datetime(mail.written_at),
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "Content-Language": mail.language,
    }
    for name, value in headers.items():
        if value.splitlines() not in ([], [value]):
            raise ValueError(f"{name} holds a line break")
        plain = value.isascii() and "=?" not in value
        message[name] = value if plain else Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
    return message.as_bytes()


class SmtpPost:
    """The SMTP client. A connection sends one mail after another until an error occurs on it."""

    def __init__(self, settings: SmtpSettings, *, attempt_seconds: float) -> None:
        self._settings = settings
        self._attempt_seconds = attempt_seconds
        self._connections = Connections(settings, attempt_seconds)

    async def hand_over(self, mail: Mail) -> Handover:
        message = compose(mail, self._settings.sender)
        try:
            async with asyncio.timeout(self._attempt_seconds), self._connections.one() as server:
                await server.sendmail(self._settings.sender, [mail.to], message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return judge(error)
        return Taken()


def judge(error: Exception) -> NotTaken[Failure]:
    """Classify a failure. Only the server's refusal of this recipient or this message is final.

    A refused login, greeting or sender is a fault of our settings or of the server, so the mail is retried.
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
