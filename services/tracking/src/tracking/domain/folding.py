"""Folds the events of declarations, in the timeline's order, into one standing per declaration.

Only events of the declarations service change the standing: a partner's event appears in the timeline,
and has effect once declarations has noted it. Each region records when it last changed; an event that
does not change it leaves that time as it is. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tracking.domain import former_events
from tracking.domain.declaration import Case, Hold, Standing, faults_of
from tracking.domain.entry import Entry
from tracking.domain.facts import Facts, code_of, moment_of, money_of, part_of, parties_of, place_of, text_of, texts_of
from tracking.domain.standing import REGIONS, as_told
from tracking.domain.timeline import Step


def standings(steps: Iterable[Step]) -> tuple[Standing, ...]:
    """Fold the declarations' events, in the timeline's order.

    A submission that declarations has not answered yet gets a standing of its own, so that a shipment
    that has only been submitted is not shown as unknown.
    """
    answered: dict[str, Standing] = {}
    at_the_door: dict[str, Standing] = {}
    for step in steps:
        entry = step.entry
        group, _, fact = entry.name.rpartition(".")
        if entry.name == "gateway.declaration.submitted":
            lodged = _stated(Standing(since={"main": _lodged_at(entry)}), part_of(entry.facts, "declaration"))
            at_the_door[lodged.lrn] = lodged
        elif group == "declarations.declaration":
            id_ = text_of(entry.facts, "declaration_id") or entry.subject
            answered[id_] = _evolve(answered.get(id_, Standing(declaration_id=id_)), fact, entry)
    taken_in = {each.lrn for each in answered.values()}
    return (*answered.values(), *(each for lrn, each in at_the_door.items() if lrn not in taken_in))


def _lodged_at(entry: Entry) -> datetime:
    """When the platform received the submission, which is when the check began."""
    return moment_of(entry.facts, "received_at") or entry.stated_at


def _stated(standing: Standing, facts: Mapping[str, Any]) -> Standing:
    """Merge the declaration's own data; values that a later event does not repeat are kept."""
    return replace(
        standing,
        lrn=text_of(facts, "lrn") or standing.lrn,
        direction=text_of(facts, "direction") or standing.direction,
        office=text_of(facts, "customs_office") or standing.office,
        place=place_of(part_of(part_of(facts, "transport"), "location")) or standing.place,
        parties=parties_of(facts) or standing.parties,
    )


def _evolve(before: Standing, fact: str, entry: Entry) -> Standing:
    facts = entry.facts
    number = text_of(facts, "declaration_number") or text_of(facts, "number") or before.number
    named = replace(_stated(_stated(before, facts), part_of(facts, "declaration")), number=number)
    detailed = _detailed(named, fact, entry)
    after = as_told(former_events.read(detailed, fact, facts), facts)
    at = _lodged_at(entry) if fact == "submitted" else entry.stated_at
    changed = {name: at for name, region in REGIONS.items() if region(before) != region(after)}
    return replace(after, since={"main": at, **before.since, **changed})


def _detailed(standing: Standing, fact: str, entry: Entry) -> Standing:
    """Merge the details that the event names, apart from status and regions."""
    facts = entry.facts
    match fact:
        case "rejected":
            return replace(standing, faults=faults_of(facts, "errors"))
        case "routed":
            return replace(standing, lane=text_of(facts, "lane"))
        case "documents_requested":
            return replace(standing, documents=texts_of(facts, "documents"))
        case "hold_placed":
            return replace(standing, holds=(*standing.holds, _hold(standing, entry)))
        case "hold_lifted":
            return replace(standing, holds=_lifted(standing.holds, _hold(standing, entry)))
        case "assessed":
            return _assessed(standing, facts)
        case "payment_recorded" | "payment_reversed" | "payment_overdue" | "payment_overdue_withdrawn":
            return replace(standing, paid=money_of(facts, "paid") or standing.paid)
        case "partner_event_noted":
            return replace(standing, reporter=(entry.cause, text_of(facts, "publisher")))
        case "case_opened":
            return replace(standing, cases=(*standing.cases, Case(code_of(facts, "reason", "case"), entry.stated_at)))
        case _:
            return standing


def _assessed(standing: Standing, facts: Facts) -> Standing:
    reference, pay_by = text_of(facts, "payment_reference"), moment_of(facts, "pay_by")
    return replace(standing, due=money_of(facts, "total"), paid="", pay_by=pay_by, payment_reference=reference)


def _hold(standing: Standing, entry: Entry) -> Hold:
    cause, publisher = standing.reporter
    return Hold(publisher if cause == entry.cause else "", text_of(entry.facts, "hold"), entry.stated_at)


def _lifted(holds: tuple[Hold, ...], lifted: Hold) -> tuple[Hold, ...]:
    """The holds without that of this agency and code; if the agency is unknown, without the first of the code."""
    same = [each for each in holds if each.code == lifted.code and lifted.agency in ("", each.agency)]
    unsaid = [each for each in holds if each.code == lifted.code and not each.agency]
    gone = (same or unsaid)[:1]
    return tuple(each for each in holds if each not in gone)
