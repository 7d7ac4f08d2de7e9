"""7: no group's committed offset is past an unresolved delivery.

It must hold at every moment, above all right after a kill and before any restart.
"""

import json
from collections.abc import Sequence

from chaos.judging.invariants.addressed import GROUPS, INBOX, Group
from chaos.judging.invariants.ends import Ends
from chaos.judging.verdicts import Verdict
from chaos.judging.world import Said, World

from chassis.delivery.records import RawRecord
from gateway.domain.receipt import submission_key


def offsets(world: World, groups: Sequence[str] = tuple(GROUPS)) -> Verdict:
    """Everything below the groups' committed offsets is resolved by them."""
    ends, looked_at, faults = Ends(world), 0, list[str]()
    readable = {(each.topic, each.partition, each.offset): each for each in world.said}
    for name in groups:
        group = GROUPS[name]
        committed = {(at.topic, at.partition): offset for at, offset in world.committed.get(name, {}).items()}
        for record in (*world.records, *world.inbox):
            if not group.reads(record.topic) or committed.get((record.topic, record.partition), 0) <= record.offset:
                continue
            looked_at += 1
            said = readable.get((record.topic, record.partition, record.offset))
            faults += [
                f"7: {name} committed past {said.envelope.id if said else record.position}, unresolved for {target}"
                for target in _unresolved(ends, name, group, record, said)
            ]
    return Verdict(7, looked_at, faults)


def _unresolved(ends: Ends, name: str, group: Group, record: RawRecord, said: Said | None) -> Sequence[str]:
    try:
        if record.topic.startswith(INBOX):
            return [] if ends.knows(name, _submission(record)) else _nobody(ends, name, record)
        if said is not None:
            return list(group.unresolved(ends, said))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # nobody can read it
    return _nobody(ends, name, record)


def _nobody(ends: Ends, name: str, record: RawRecord) -> Sequence[str]:
    """Unreadable and refused records are set aside by position."""
    return [] if ends.set_aside(name, str(record.position)) else ["anybody"]


def _submission(record: RawRecord) -> str:
    """The gateway's cause for a partner's record: the partner, its source and id.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is unreadable.
    """
    partner = record.topic.removeprefix(INBOX)
    ours = [(name.lower(), raw or b"") for name, raw in record.headers if name.lower().startswith("ce_")]
    headers = {name: raw.decode() for name, raw in ours}
    event = json.loads(record.value or b"") if "ce_id" not in headers else {}
    source, id_ = headers.get("ce_source") or event["source"], headers.get("ce_id") or event["id"]
    return submission_key(f"partner:{partner}", source, id_)
