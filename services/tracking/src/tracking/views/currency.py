"""How current the answer is: coverage of each topic, parked deliveries, and services that did not answer."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tracking.coverage import Knowledge, TopicCoverage
from tracking.domain.held import Held
from tracking.domain.timeline import Step
from tracking.parked import Parked
from tracking.views.reader import Reader, View
from tracking.wording import word

STALE_AFTER_SECONDS = 10.0
"""A shorter lag is normal."""


def coverage_view(coverage: Sequence[TopicCoverage], steps: Sequence[Step], reader: Reader) -> list[View]:
    """The coverage of each topic; "nothing happened" is said only of a known shipment."""
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.entry.position.topic] = counts.get(step.entry.position.topic, 0) + 1
    return [_topic(each, counts.get(each.topic, 0), reader, of_shipment=bool(steps)) for each in coverage]


def _topic(each: TopicCoverage, count: int, reader: Reader, *, of_shipment: bool) -> View:
    read = "nothing_happened" if of_shipment else "read"
    conclusion = "happened" if count else read if each.knowledge is Knowledge.READ else "no_data"
    behind = "?" if each.behind is None else each.behind
    return {
        "topic": each.topic,
        "events": count,
        "knowledge": each.knowledge,
        "behind": each.behind,
        "checked_at": each.checked_at.isoformat() if each.checked_at else None,
        "as_of": reader.moment(each.as_of),
        "conclusion": conclusion,
        "text": reader.say(f"coverage.{conclusion}", count=count, behind=behind),
    }


def stale_view(coverage: Sequence[TopicCoverage], parked: Parked, reader: Reader) -> list[View]:
    """Warnings at the top: topics that are not read to their end, services that paused consumption."""
    by_moment: dict[datetime | None, list[str]] = {}
    for each in coverage:
        if _is_stale(each, reader):
            by_moment.setdefault(each.as_of, []).append(each.topic)
    stale = [_stale(as_of, topics, reader) for as_of, topics in by_moment.items()]
    halted = [
        {
            "service": each.service,
            "as_of": reader.moment(each.since),
            "text": reader.say(
                "halted",
                service=each.service,
                since=reader.time(each.since),
                reason=word("held_reason", each.reason, reader.language),
            ),
        }
        for each in parked.halted
    ]
    return [*stale, *halted]


def _is_stale(each: TopicCoverage, reader: Reader) -> bool:
    if each.knowledge is Knowledge.READ:
        return False
    return each.as_of is None or reader.age(each.as_of) > STALE_AFTER_SECONDS


def _stale(as_of: datetime | None, topics: Sequence[str], reader: Reader) -> View:
    """The warning about topics with the same `as_of`."""
    said = {"topics": list(topics), "as_of": reader.moment(as_of)}
    if as_of is None:
        return said | {"age_seconds": None, "text": reader.say("stale_never", topics=", ".join(topics))}
    age = reader.age(as_of)
    text = reader.say("stale", topics=", ".join(topics), as_of=reader.time(as_of), age=age)
    return said | {"age_seconds": age, "text": text}


def of_shipment(held: Iterable[Held], thread: str, steps: Sequence[Step]) -> list[Held]:
    """The parked deliveries of a thread, oldest first."""
    ids = {id_ for step in steps for id_ in (step.entry.id, step.entry.subject) if id_}
    keys = {thread, *(step.entry.thread for step in steps)}
    return sorted((each for each in held if each.is_of(ids, keys)), key=lambda each: each.since)


def held_view(each: Held, steps: Sequence[Step], reader: Reader) -> View:
    """Number, time and reason of parked deliveries, and the row of the first one if the timeline has it."""
    rows = {step.entry.id for step in steps}
    reason = word("held_reason", each.reason, reader.language)
    since = reader.time(each.since)
    return {
        "service": each.service,
        "target": each.target,
        "count": each.count,
        "since": reader.moment(each.since),
        "reason": each.reason,
        "event_id": each.event_id,
        "event_row": each.event_id if each.event_id in rows else "",
        "text": reader.say("held", service=each.service, count=each.count, since=since, reason=reason),
    }


def held_unknown_view(parked: Parked, reader: Reader) -> list[View]:
    """The services whose parked deliveries are unknown."""
    return [
        {
            "service": each.service,
            "since": reader.moment(each.answered_at),
            "text": reader.say("held_unknown", service=each.service, since=reader.time(each.answered_at)),
        }
        for each in parked.unknown
    ]
