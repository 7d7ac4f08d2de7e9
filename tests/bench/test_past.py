"""Past shipments have the structure of the recorded one, and share no name with it or with each other."""

from typing import Any

import bson

from bench.past import past_of
from bench.recording import Recording

STATE = {"declaration": {"ucr": "6CN91370200-A1", "transport": {"containers": ["CSQU3054383"]}}, "office": "4218"}
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "declarations.declarations": [{"_id": "D-0123456789", "key": "6CN91370200-A1", "state": STATE, "seq": 2}],
    "tracking.entries": [
        {"_id": "D-0123456789/0.1", "ucr": "6CN91370200-A1", "terms": ["container=CSQU3054383"]},
        {"_id": "D-0123456789/0.2", "ucr": "6CN91370200-A1", "terms": [], "cause": "D-0123456789/0.1"},
    ],
}


def copied(*numbers: int) -> dict[str, list[dict[str, Any]]]:
    past = past_of(Recording([], DOCUMENTS, []))
    found: dict[str, list[dict[str, Any]]] = {}
    for number in numbers:
        for collection, documents in past.copies(range(number, number + 1)):
            found.setdefault(collection, []).extend(bson.decode(each.raw) for each in documents)
    return found


def test_names_are_replaced_consistently() -> None:
    found = copied(7)
    (declaration,), (first, second) = found["declarations.declarations"], found["tracking.entries"]
    assert first["_id"] == f"{declaration['_id']}/0.1" == second["cause"]
    assert declaration["key"] == declaration["state"]["declaration"]["ucr"] == first["ucr"] == second["ucr"]
    assert first["terms"] == [f"container={declaration['state']['declaration']['transport']['containers'][0]}"]


def test_text_that_is_not_specific_to_a_shipment_stays() -> None:
    (declaration,) = copied(7)["declarations.declarations"]
    assert declaration["state"]["office"] == "4218"
    assert declaration["seq"] == 2
    assert len(bson.encode(declaration)) == len(bson.encode(DOCUMENTS["declarations.declarations"][0]))


def test_no_two_shipments_share_an_id() -> None:
    found = copied(*range(200))
    for collection, documents in found.items():
        ids = [each["_id"] for each in documents] + [each["_id"] for each in DOCUMENTS[collection]]
        assert len(set(ids)) == len(ids)
