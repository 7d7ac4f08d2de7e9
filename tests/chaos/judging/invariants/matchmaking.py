"""The target listings and matches of an event, as far as stored data makes them certain."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chaos.judging.invariants.ends import Ends
from chaos.judging.world import Said, Stored

from matching.domain.listing import Listing
from matching.domain.match import Status, match_id
from matching.domain.reference import Reference
from matching.domain.score import Fit, judge
from matching.reference_data import load_reference
from matching.store import LISTING

_LOOKED_AT = ("published", "changed", "withdrawn")
"""Facts of a listing after which matching compares it again."""
_REFERENCE: Reference = load_reference()


def of_listings(ends: Ends, said: Said) -> Iterator[str]:
    """The target listings of a registry event: those known to be the enterprise's before it."""
    payload = json.loads(said.data)
    numbers = {(each["scheme"], each["value"]) for each in payload.get("identifiers", ())}
    by_number = said.envelope.type.split(".")[3] in ("registered", "changed")
    for owner in ends.world.of("matching", "listings"):
        if by_number:
            firm = owner.state["firm"]
            known, since = (firm["scheme"], firm["value"]) in numbers, ends.first_at(owner.id)
        else:
            named = [each.at for each in ends.said_of(owner.id) if _enterprise(each) == payload["enterprise_id"]]
            known, since = owner.state["enterprise_id"] == payload["enterprise_id"], min(named, default=None)
        if known and since is not None and since < said.at:
            yield owner.id


def _enterprise(said: Said) -> str:
    return str(json.loads(said.data).get("enterprise_id", ""))


def of_matches(ends: Ends, said: Said) -> Iterator[str]:
    """The target matches of an event of matching itself."""
    _, _, aggregate, fact, _ = said.envelope.type.split(".")
    payload = json.loads(said.data)
    if aggregate == "match" and _moved_on(ends, said, payload):
        yield said.envelope.subject
    elif aggregate == "listing" and fact in _LOOKED_AT:
        yield from dict.fromkeys([*_found_before(ends, said), *_fitting(ends, said, payload)])


def _moved_on(ends: Ends, said: Said, payload: Mapping[str, Any]) -> bool:
    """Whether a listing of a match changed after the match was judged and before this event."""
    return any(
        each.envelope.sequence > payload[side]["change"] and each.at < said.at
        for side in ("project", "mandate")
        for each in ends.said_of(payload[side]["listing_id"])
    )


def _found_before(ends: Ends, said: Said) -> Iterator[str]:
    """The matches of a listing that were found before and are unchanged."""
    for owner in ends.world.of("matching", "matches"):
        sides = {owner.state[side]["listing_id"] for side in ("project", "mandate")}
        since = ends.unchanged_since(owner)
        if said.envelope.subject in sides and owner.state["status"] == Status.FOUND and since and since < said.at:
            yield owner.id


def _fitting(ends: Ends, said: Said, payload: Mapping[str, Any]) -> Iterator[str]:
    """The matches with fitting listings, if both are unchanged since before the event.

    Listings that expire are left out: whether they fit depends on the moment.
    """
    listings = {each.id: each for each in ends.world.of("matching", "listings")}
    one = listings.get(said.envelope.subject)
    if one is None or ends.unchanged_since(one) is None or one.seq != payload["change"]:
        return
    mine = _listing(one)
    for other in listings.values():
        since, theirs = ends.unchanged_since(other), _listing(other)
        if since is None or since >= said.at or mine.kind == theirs.kind:
            continue
        endless = mine.terms.expires_at is None and theirs.terms.expires_at is None
        if endless and isinstance(judge(mine, theirs, now=ends.world.read_at, reference=_REFERENCE), Fit):
            yield match_id(mine, theirs)


def _listing(owner: Stored) -> Listing:
    return LISTING.codec.decode(owner.state)
