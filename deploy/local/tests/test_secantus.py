"""The embedded server's cache within a write changes no answer."""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import IndexModel, MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from launcher.infrastructure import Infrastructure
from launcher.secantus import remember_indexes_in_transactions

Documents = Collection[dict[str, Any]]


class Storage:
    """The patched part of the package's class; its list of indexes is a row that a test may change."""

    def __init__(self) -> None:
        self._tls = threading.local()
        self.stored = ["a"]
        self.reads = 0

    @contextlib.contextmanager
    def _batch_transaction(self, *, sync: bool = False) -> Iterator[bool]:
        yield sync

    def _iter_indexes(self, _db: str, _collection: str) -> Iterator[str]:
        self.reads += 1
        yield from self.stored

    def _maybe_mark_multikey(self, *arguments: Any) -> set[str]:
        marked: set[str] = arguments[-1]
        marked.add("a")
        return marked

    def look(self) -> list[str]:
        return list(self._iter_indexes("db", "collection"))


@pytest.fixture
def storage() -> Storage:
    class Changed(Storage):
        pass

    remember_indexes_in_transactions(Changed)
    return Changed()


def test_a_transaction_reads_the_indexes_once(storage: Storage) -> None:
    with storage._batch_transaction(sync=True) as session:
        assert session
        assert storage.look() == storage.look() == ["a"]
    assert storage.reads == 1


def test_nothing_is_remembered_between_transactions(storage: Storage) -> None:
    with storage._batch_transaction():
        storage.look()
    storage.stored.append("b")
    assert storage.look() == ["a", "b"]
    with storage._batch_transaction():
        assert storage.look() == ["a", "b"]


def test_a_transaction_that_broke_leaves_nothing_behind(storage: Storage) -> None:
    with contextlib.suppress(RuntimeError), storage._batch_transaction():
        storage.look()
        raise RuntimeError
    storage.stored.append("b")
    assert storage.look() == ["a", "b"]


def test_what_a_transaction_marks_it_sees(storage: Storage) -> None:
    with storage._batch_transaction():
        storage.look()
        storage.stored.append("marked")
        storage._maybe_mark_multikey("db", "collection", {}, [], {"a"})
        assert storage.look() == ["a"]  # marked already: nothing was written
        storage._maybe_mark_multikey("db", "collection", {}, [], set())
        assert storage.look() == ["a", "marked"]


def test_a_version_that_has_no_such_methods_is_told_of() -> None:
    with pytest.raises(AttributeError, match="_batch_transaction"):
        remember_indexes_in_transactions(object)


@pytest.fixture
def documents(infrastructure: Infrastructure) -> Iterator[Documents]:
    with MongoClient[dict[str, Any]](infrastructure.mongo_url) as client:
        name = f"secantus-{uuid.uuid4().hex[:12]}"
        yield client[name]["documents"]
        client.drop_database(name)


@pytest.mark.infra
def test_an_index_that_comes_between_writes_knows_all_of_them(
    infrastructure: Infrastructure, documents: Documents
) -> None:
    documents.insert_many([{"_id": number, "of": number % 2} for number in range(10)])
    # Made on a connection of its own: the server keeps a thread for each.
    with MongoClient[dict[str, Any]](infrastructure.mongo_url) as other:
        elsewhere = other[documents.database.name]["documents"]
        elsewhere.create_indexes([IndexModel("of"), IndexModel("name", unique=True, sparse=True)])
    documents.insert_many([{"_id": number, "of": number % 2} for number in range(10, 20)])
    documents.update_many({"_id": {"$in": [0, 10]}}, {"$set": {"of": 7}})
    assert [each["_id"] for each in documents.find({"of": 7}).sort("_id")] == [0, 10]
    assert documents.count_documents({"of": 1}) == 10
    documents.update_one({"_id": 1}, {"$set": {"name": "taken"}})
    with pytest.raises(DuplicateKeyError):
        documents.update_one({"_id": 2}, {"$set": {"name": "taken"}})


@pytest.mark.infra
def test_a_list_in_the_middle_of_an_insert_is_found_by_each_of_its_values(documents: Documents) -> None:
    documents.create_indexes([IndexModel("names")])
    documents.insert_many([{"_id": 1, "names": "a"}, {"_id": 2, "names": ["a", "b"]}, {"_id": 3, "names": ["b", "c"]}])
    documents.update_one({"_id": 1}, {"$set": {"names": ["b", "d"]}})
    found = {name: [each["_id"] for each in documents.find({"names": name}).sort("_id")] for name in "abcd"}
    assert found == {"a": [2], "b": [1, 2, 3], "c": [3], "d": [1]}
