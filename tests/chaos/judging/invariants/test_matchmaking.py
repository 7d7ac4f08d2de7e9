"""The checker detects listings and matches that missed an event (7)."""

from dataclasses import replace
from typing import Any

import pytest
from chaos.judging.handmade import WorldMaker, line, passed_over
from services.matching.tests.matching_builders import INVESTOR, a_listing, a_mandate, a_project

from contracts.topics import GATEWAY, MATCHING, REGISTRY
from matching.domain.match import match_id
from matching.store import LISTING

pytestmark = pytest.mark.serverless


def _listed(scene: WorldMaker, name: str) -> str:
    """A listing that the registry's answer opened, and the event of it."""
    listing = a_listing(a_project() if name == "project" else a_mandate())
    lodged = scene.say(GATEWAY.name, f"trade.gateway.{name}.submitted.v1", f"R-{name}", {})
    events = [
        scene.say(MATCHING.name, f"trade.matching.listing.{fact}.v1", listing.id, {"change": number + 1, **owner})
        for number, (fact, owner) in enumerate(
            (("submitted", {}), ("published", {"enterprise_id": listing.enterprise_id}))
        )
    ]
    scene.store(
        "matching",
        "listings",
        listing.id,
        LISTING.codec.encode(listing),
        line(lodged, events[0]),
        line(f"{listing.id}/standing/1", events[1]),
    )
    return events[1]


def test_a_pair_that_fits_and_was_never_judged_ispassed_over() -> None:
    scene = WorldMaker()
    _listed(scene, "project")
    second = _listed(scene, "mandate")
    pair = match_id(a_listing(a_project()), a_listing(a_mandate()))
    assert passed_over(scene.world("matching"), "matching") == [
        f"7: matching committed past {second}, unresolved for {pair}"
    ]
    scene.store("matching", "matches", pair, _match_state(), line(second))
    assert passed_over(scene.world("matching"), "matching") == []


def _match_state() -> dict[str, Any]:
    project, mandate = a_listing(a_project()), a_listing(a_mandate())
    return {"status": "found", "project": {"listing_id": project.id}, "mandate": {"listing_id": mandate.id}}


def test_a_match_that_was_not_looked_at_again_ispassed_over() -> None:
    scene = WorldMaker()
    _listed(scene, "project")
    second = _listed(scene, "mandate")
    pair = match_id(a_listing(a_project()), a_listing(a_mandate()))
    found = scene.say(MATCHING.name, "trade.matching.match.found.v1", pair, _judged_on(2, 2))
    scene.store("matching", "matches", pair, _match_state(), line(second, found))
    assert passed_over(scene.world("matching"), "matching") == []
    mandate = a_listing(a_mandate()).id
    ends = scene.say(MATCHING.name, "trade.matching.listing.withdrawn.v1", mandate, {"change": 3})
    assert passed_over(scene.world("matching"), "matching") == [
        f"7: matching committed past {ends}, unresolved for {pair}"
    ]
    scene.store("matching", "matches", pair, _match_state(), line(second, found), line(ends))
    assert passed_over(scene.world("matching"), "matching") == []
    again = scene.say(MATCHING.name, "trade.matching.match.changed.v1", pair, _judged_on(2, 2))
    assert passed_over(scene.world("matching"), "matching") == [
        f"7: matching committed past {again}, unresolved for {pair}"
    ]


def _judged_on(project: int, mandate: int) -> dict[str, Any]:
    sides = (("project", a_listing(a_project()).id, project), ("mandate", a_listing(a_mandate()).id, mandate))
    return {side: {"listing_id": id_, "change": change} for side, id_, change in sides}


def test_a_listing_that_missed_what_became_of_its_firm_ispassed_over() -> None:
    scene = WorldMaker()
    _listed(scene, "mandate")
    listing = next(iter(scene.stored.values()))
    firm = {"scheme": INVESTOR.scheme, "value": INVESTOR.value}
    enterprise = {"enterprise_id": str(INVESTOR)}
    events = [
        scene.say(REGISTRY.name, f"trade.registry.enterprise.{fact}.v1", str(INVESTOR), {**enterprise, **more})
        for fact, more in (("suspended", {}), ("changed", {"identifiers": [firm]}))
    ]
    scene.say(REGISTRY.name, "trade.registry.enterprise.suspended.v1", "X:1", {"enterprise_id": "X:1"})
    assert passed_over(scene.world("matching"), "matching") == [
        f"7: matching committed past {event}, unresolved for {listing.id}" for event in events
    ]
    scene.stored[listing.id] = replace(listing, lines=[*listing.lines, *(line(event) for event in events)])
    assert passed_over(scene.world("matching"), "matching") == []


def test_a_submission_that_no_listing_knows_ispassed_over() -> None:
    scene = WorldMaker()
    lodged = scene.say(GATEWAY.name, "trade.gateway.project.submitted.v1", "PJ-1", {})
    assert passed_over(scene.world("matching"), "matching") == [
        f"7: matching committed past {lodged}, unresolved for its listing"
    ]
