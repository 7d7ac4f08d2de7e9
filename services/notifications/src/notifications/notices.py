"""The aggregate type of notices: pending look-up, due mail attempt, published events.

`try_after` schedules the look-up at registry (the chassis' pending work). `due_at` schedules the next
mail attempt, or the end of a claimed one's lease. The two are separate, so an unreachable registry
delays no mail, and an unreachable mail server no look-up.
"""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from chassis import telemetry
from chassis.aggregates import AggregateType, dataclass_codec
from notifications.domain.life import decide, evolve
from notifications.domain.notice import Command, Event, Notice, Status
from notifications.messages import NoticeMessages


def key(notice: Notice) -> str:
    return notice.intent.ucr or notice.intent.id


def look_up_after(notice: Notice) -> datetime | None:
    return notice.since if notice.status is Status.WAITING else None


def send_after(notice: Notice) -> datetime | None:
    return notice.send_after


def baggage(notice: Notice) -> dict[str, str]:
    entries = {telemetry.UCR: notice.intent.ucr, telemetry.DECLARATION_ID: notice.intent.declaration_id}
    return {name: value for name, value in entries.items() if value}


NOTICE: AggregateType[Notice, Command, Event] = AggregateType(
    name="notice",
    collection="notices",
    decide=decide,
    evolve=evolve,
    key=key,
    codec=dataclass_codec(Notice),
    messages=NoticeMessages(),
    try_after=look_up_after,
    due_at=send_after,
    baggage=baggage,
    indexes=(IndexModel([("state.intent.ucr", ASCENDING), ("state.created_at", ASCENDING), ("_id", ASCENDING)]),),
)
