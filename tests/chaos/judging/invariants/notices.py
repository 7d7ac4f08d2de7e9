"""6: one durable intent per notice, claimed before each attempt, sent at least once, always under one Message-ID.

The expected notices derive from the events on the topics and the routing table of notifications; the sent mails are
those that the mail server received.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from chaos.judging.invariants.ends import Ends
from chaos.judging.mails import Mail
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, Stored, World

from chassis.delivery.records import Event, RawRecord
from contracts.topics import DECLARATIONS, MATCHING
from launcher.services import MAIL_FROM
from notifications.domain.notice import Channel, Intent, Reason, Status
from notifications.intents import Intents
from notifications.routing import DECLARATION_TYPES, MATCHING_TYPES

_TYPES = DECLARATION_TYPES | MATCHING_TYPES
_INTENTS = Intents(MAIL_FROM.partition("@")[2])
_NOWHERE = {Reason.NO_ADDRESS, Reason.BAD_ADDRESS}
"""Valid reasons for giving up a mail."""

Key = tuple[str, str, str]
"""Event, recipient, channel."""


def intents(said: Said) -> Sequence[Intent]:
    """The recipients of an event, with their channels.

    Raises:
        ValueError: the event is unreadable.
    """
    payload = _TYPES.get(said.envelope.type)
    if payload is None:
        return ()
    record = RawRecord(said.topic, said.partition, said.offset, None, (), said.data, said.at)
    return _INTENTS.of(Event(said.envelope, payload.model_validate_json(said.data), record))


def notices(world: World, *, claims_lost: bool = False) -> Verdict:
    """Each expected notice exists once, and the received mails match the notices.

    Args:
        claims_lost: whether the database of notifications was restored older: it repeats forgotten attempts.
    """
    ends, due, stored = Ends(world), _due(world), _stored(world)
    faults = [
        f"6: {key[1]} is to be told of {key[0]} ({key[2]}), and no notice says so"
        for key, (said, told) in due.items()
        if key not in stored and not ends.resolved("notifications", said, told.id)
    ]
    for key, owners in stored.items():
        if len(owners) > 1:
            faults.append(f"6: {len(owners)} notices tell {key[1]} of {key[0]} ({key[2]})")
        if key not in due:
            faults += [f"6: {each.id} tells {key[1]} of {key[0]}, which is nothing to be told" for each in owners]
        elif owners[0].state["intent"]["message_id"] != due[key][1].message_id:
            faults.append(f"6: {owners[0].id} goes by another Message-ID than {due[key][1].message_id}")
    faults += _mails(world, claims_lost)
    by_mail = sum(channel == Channel.EMAIL for _, _, channel in due)
    return Verdict(6, by_mail + len(world.mails), faults)


def _due(world: World) -> Mapping[Key, tuple[Said, Intent]]:
    """The notices that the events on the topics require, each with its event."""
    return {
        (said.envelope.id, each.recipient, each.channel): (said, each)
        for topic in (DECLARATIONS, MATCHING)
        for said in world.first_said(topic.name).values()
        for each in intents(said)
    }


def _stored(world: World) -> Mapping[Key, list[Stored]]:
    """The stored notices."""
    stored: dict[Key, list[Stored]] = {}
    for owner in world.of("notifications", "notices"):
        intent = owner.state["intent"]
        stored.setdefault((intent["source_event_id"], intent["recipient"], intent["channel"]), []).append(owner)
    return stored


def under_way(world: World) -> Sequence[Stored]:
    """The notices that are still to be sent."""
    ended = {Status.SENT, Status.GIVEN_UP}
    return [each for each in world.of("notifications", "notices") if each.state["status"] not in ended]


def _mails(world: World, claims_lost: bool) -> list[str]:
    """The received mails, compared with the notices sent by mail."""
    received: dict[str, list[Mail]] = {}
    for mail in world.mails:
        received.setdefault(mail.message_id, []).append(mail)
    senders = [
        each for each in world.of("notifications", "notices") if each.state["intent"]["channel"] == Channel.EMAIL
    ]
    named = Counter(str(each.state["intent"]["message_id"]) for each in senders)
    faults = [f"6: {count} notices go by {id_}" for id_, count in named.items() if count > 1]
    faults += [f"6: {id_} went out, and no notice has it" for id_ in sorted(received.keys() - named.keys())]
    for owner in senders:
        faults += _attempts(owner, received, claims_lost)
    return faults


def _attempts(owner: Stored, received: Mapping[str, Sequence[Mail]], claims_lost: bool) -> list[str]:
    """The received mails of one notice, compared with its claims."""
    mails = received.get(owner.state["intent"]["message_id"], ())
    claims = sorted(line["at"] for line in owner.lines if _is_claim(owner, line))
    faults = []
    nowhere = owner.state["status"] == Status.GIVEN_UP and owner.state["reason"] in _NOWHERE
    if not nowhere and owner.state["status"] != Status.SENT:
        faults.append(f"6: {owner.id} is {owner.state['status']}, not sent")
    if not nowhere and not mails:
        faults.append(f"6: {owner.id} never went out")
    if len(mails) > len(claims) and not claims_lost:
        faults.append(f"6: {owner.id} went out {len(mails)} times on {len(claims)} claims")
    if any(mail.at < claim for mail, claim in zip(mails, claims, strict=False)) and not claims_lost:
        faults.append(f"6: {owner.id} went out before it was claimed")
    if len({each.to for each in mails}) > 1:
        faults.append(f"6: {owner.id} went to {sorted({each.to for each in mails})}")
    return faults


def _is_claim(owner: Stored, line: Mapping[str, Any]) -> bool:
    """A separate line, or the line that created the notice, if that has more events than the creation."""
    if line["cause"] == owner.state["intent"]["source_event_id"]:
        return len(line["events"]) > 1
    return re.fullmatch(rf"{re.escape(owner.id)}/attempt/\d+", line["cause"]) is not None
