"""A declaration's situation in words: where it is, and for each obstacle what, who, since when, by when and why."""

from tracking.domain.declaration import Fault
from tracking.domain.obstacle import Obstacle, Trouble
from tracking.domain.situation import Situation
from tracking.views.reader import Reader, View
from tracking.wording import describe_code, documents, word


def situation_view(each: Situation, reader: Reader) -> View:
    """The view of a situation; repeats the first obstacle at the top level for simple clients."""
    standing = each.standing
    obstacles = [_obstacle(obstacle, reader) for obstacle in each.obstacles]
    first = {name: obstacles[0][name] for name in ("waiting_for", "waiting_for_text", "who", "who_text", "by", "since")}
    return {
        "declaration_id": standing.declaration_id,
        "declaration_number": standing.number,
        "lrn": standing.lrn,
        "direction": standing.direction,
        "where": each.where,
        "where_text": reader.say(f"where.{each.where}"),
        "lane": standing.lane,
        **first,
        "failed": [text for obstacle in obstacles for text in obstacle["failed"]],
        "obstacles": obstacles,
    }


def _obstacle(each: Obstacle, reader: Reader) -> View:
    role = reader.say(f"role.{each.who}")
    return {
        "waiting_for": each.waiting_for,
        "waiting_for_text": reader.say(f"waiting.{each.waiting_for}"),
        "who": each.who,
        "actor": each.actor,
        "who_text": reader.say("named", role=role, name=each.actor) if each.actor else role,
        "since": reader.moment(each.since),
        "by": reader.moment(each.by),
        "detail": trouble_text(each.detail, "detail", reader) if each.detail else "",
        "failed": [
            *(trouble_text(trouble, "failed", reader) for trouble in each.failed),
            *(fault_text(fault, reader) for fault in each.faults),
        ],
        "faults": [
            {"code": fault.code, "pointer": fault.pointer, "value": fault.value, "text": fault_text(fault, reader)}
            for fault in each.faults
        ],
    }


def trouble_text(trouble: Trouble, kind: str, reader: Reader) -> str:
    """A trouble in words, including the codes in its parameters."""
    language, values = reader.language, dict(trouble.values)
    if "hold" in values:
        values["hold"] = word("hold", values["hold"], language)
    if "reason" in values:
        values["reason"] = word("code.case_reason", values["reason"], language)
    if "documents" in values:
        values["documents"] = documents(tuple(values["documents"].split(", ")), language)
    return reader.say(f"{kind}.{trouble.code}", **values)


_KINDS = {"role": "code.party_role", "status": "where"}
"""Parameter that is a code → kind under which its word is found."""


def fault_text(fault: Fault, reader: Reader) -> str:
    """A broken rule: the field, the catalogue's text, and the stated value if there is one."""
    values = {
        name: word(_KINDS[name], str(value), reader.language) if name in _KINDS else value
        for name, value in fault.parameters.items()
    }
    sentence = describe_code(fault.code, reader.language, values)
    field = fault.pointer or "/"
    if fault.value:
        return reader.say("fault", field=field, text=sentence, value=fault.value)
    return reader.say("fault_without_value", field=field, text=sentence)
