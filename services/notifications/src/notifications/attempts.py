"""The inputs around one attempt at sending a mail: its claim, and what became of it."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chassis.aggregates import Input
from notifications.domain.notice import Command, Notice, RecordFailure, RecordSent, StartAttempt
from notifications.handlers import ACTOR
from notifications.mail import Handover, Taken
from notifications.settings import MailSettings


def claim(notice: Notice, document: Mapping[str, Any], lease_until: datetime) -> Input[Command]:
    """The claim of the next attempt, in the trace of what last happened to the notice."""
    attempt = notice.attempts + 1
    lines = reversed(document["history"])
    return Input(
        target=notice.intent.id,
        cause=f"{notice.intent.id}/attempt/{attempt}",
        command=StartAttempt(attempt, lease_until),
        actor=ACTOR,
        trace=next((line["trace"] for line in lines if line["events"] and line["trace"]), {}),
        span="claim mail attempt",
    )


def ending(notice: Notice, handover: Handover, now: datetime, settings: MailSettings) -> Input[Command]:
    """What became of the latest attempt, and when there is another one."""
    id_, attempt = notice.intent.id, notice.attempts
    cause = f"{id_}/attempt/{attempt}"
    if isinstance(handover, Taken):
        return Input(id_, f"{cause}/sent", RecordSent(attempt), ACTOR)
    waited = (now - notice.since).total_seconds()
    # As long again as it has taken so far: the delays double by themselves.
    delay = min(max(waited, settings.first_retry_seconds), settings.longest_retry_seconds)
    delay *= random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
    final = handover.final or waited + delay > settings.give_up_after_seconds
    retry_at = None if final else now + timedelta(seconds=delay)
    return Input(id_, f"{cause}/failed", RecordFailure(attempt, handover.reason, handover.reply_code, retry_at), ACTOR)
