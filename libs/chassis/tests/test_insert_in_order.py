"""An ordered insert stores a prefix, wherever the write is cut off."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError
from tallies import parked_delivery

from chassis.mongo import insert_in_order
from chassis.parking.mongo import MongoParking
from chassis.testing import ManualClock

DOCUMENTS = [{"_id": id_, "value": id_.upper()} for id_ in "abcd"]


class Store:
    """A collection whose write is cut off, or meets a concurrent one, at one of its operations."""

    def __init__(self, at: int, error: Exception) -> None:
        self.stored: dict[str, Any] = {}
        self._error: tuple[int, Exception] | None = (at, error)

    async def bulk_write(self, operations: Sequence[Any], *, ordered: bool) -> None:
        # Not in order, the server may begin with any of them.
        for number, each in enumerate(operations if ordered else reversed(operations)):
            if self._error is not None and number == self._error[0]:
                _, error = self._error
                self._error = None
                raise error
            assert each._upsert
            self.stored.setdefault(each._filter["_id"], each._doc["$setOnInsert"])


@pytest.mark.parametrize("at", range(4))
async def test_where_the_write_is_cut_off_a_beginning_is_stored(at: int) -> None:
    store: Any = Store(at, AutoReconnect("cut off"))
    with pytest.raises(AutoReconnect):
        await insert_in_order(store, DOCUMENTS)
    assert list(store.stored) == [each["_id"] for each in DOCUMENTS[:at]]


async def test_an_id_that_is_taken_meanwhile_keeps_nobody_out() -> None:
    taken = BulkWriteError({"writeErrors": [{"index": 1, "code": 11000}]})
    store: Any = Store(1, taken)
    store.stored["b"] = {"value": "another's"}
    await insert_in_order(store, DOCUMENTS)
    assert store.stored.keys() == {*"abcd"}
    assert store.stored["b"] == {"value": "another's"}


async def test_any_other_refusal_is_told() -> None:
    refused = BulkWriteError({"writeErrors": [{"index": 2, "code": 121}]})
    store: Any = Store(2, refused)
    with pytest.raises(BulkWriteError):
        await insert_in_order(store, DOCUMENTS)


async def test_what_is_parked_together_is_written_in_the_order_in_which_it_is_replayed() -> None:
    parked: Any = Store(2, AutoReconnect("cut off"))
    parking = MongoParking(defaultdict(lambda: parked), ManualClock())  # type: ignore[arg-type]
    with pytest.raises(AutoReconnect):
        await parking.park([parked_delivery("T", offset) for offset in (4, 1, 3, 10)])
    assert [each["offset"] for each in parked.stored.values()] == [1, 3]


async def test_nothing_is_no_write() -> None:
    store: Any = Store(0, AssertionError("written"))
    await insert_in_order(store, [])
    assert not store.stored
