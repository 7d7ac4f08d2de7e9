"""The read model in MongoDB: immutable entries, and unreadable records.

Dropping the collections and reading the topics again gives the same content. The `_id` is the event's id, so a repeat
is not stored again; a conflicting entry is stored under the id and its own hash.

Invariant: every term of a thread is in the indexed field `terms` of at least one of its entries. A shipment's events
repeat the same few ids, and an index entry costs as much as a small document, so `terms` of an entry omits those that
this process has already stored for the thread; `refs` has all of them. After restoring an older state of the database,
restart tracking: it remembers which terms it has stored.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from chassis.mongo import Database, insert_missing
from chassis.rpc import Place
from tracking import metrics
from tracking.domain.entry import Entry, Position, Term, term
from tracking.domain.timeline import belongs, references
from tracking.messages import Unreadable
from values.moments import read_moment

MAX_ENTRIES = 5_000
"""Maximum number of entries that a page shows of one timeline."""

REMEMBERED_THREADS = 5_000

_JOINED_BY = (Term.PAYMENT_REFERENCE, Term.DECLARATION_NUMBER, Term.BANK_PAYMENT, Term.CONTAINER)
_Document = dict[str, Any]


class IndexedTerms:
    """The terms that this process has already stored for each thread."""

    def __init__(self) -> None:
        self._threads: OrderedDict[str, set[str]] = OrderedDict()

    def missing(self, document: _Document) -> list[str]:
        """The terms of an entry that are not yet stored for its thread. An entry without a UCR keeps all its terms,
        because `belongs` joins it by them."""
        known = self._threads.get(document["thread"], ()) if document["ucr"] else ()
        return [each for each in document["refs"] if each not in known]

    def add(self, documents: Iterable[_Document]) -> None:
        """Record that these entries are stored."""
        for each in documents:
            if each["ucr"]:
                self._threads.setdefault(each["thread"], set()).update(each["refs"])
                self._threads.move_to_end(each["thread"])
        while len(self._threads) > REMEMBERED_THREADS:
            self._threads.popitem(last=False)


class TimelineStore:
    """Entries by event id."""

    def __init__(self, database: Database) -> None:
        self._indexed_terms = IndexedTerms()
        self._entries = database["entries"]
        self._unreadable = database["unreadable"]

    async def create_indexes(self) -> None:
        """Create missing indexes; harmless to repeat."""
        by = [IndexModel([("thread", ASCENDING)]), IndexModel([("terms", ASCENDING)])]
        await self._entries.create_indexes(by)

    async def add(self, entries: Sequence[Entry]) -> None:
        """Store entries; repeats change nothing, conflicting entries are stored in addition."""
        new = [_document(each, each.id) for each in entries]
        refused = await insert_missing(
            self._entries, [_indexed(each, self._indexed_terms.missing(each)) for each in new]
        )
        self._indexed_terms.add(each for each in new if each["_id"] not in refused)
        known = await self._hashes(refused) if refused else {}
        conflicts = [each for each in entries if known.get(each.id, each.hash) != each.hash]
        beside = [_document(each, f"{each.id}#{each.hash}") for each in conflicts]
        twice = await insert_missing(self._entries, [_indexed(each, each["refs"]) for each in beside])
        metrics.ENTRIES.labels("new").inc(len(entries) - len(refused))
        metrics.ENTRIES.labels("repeat").inc(len(refused) - len(conflicts) + len(twice))
        metrics.ENTRIES.labels("conflict").inc(len(conflicts) - len(twice))

    async def _hashes(self, ids: Set[str]) -> dict[str, str]:
        found = self._entries.find({"_id": {"$in": sorted(ids)}}, {"hash": 1})
        return {document["_id"]: document["hash"] async for document in found}

    async def keep_unreadable(self, records: Sequence[Unreadable], now: datetime) -> None:
        """Store unreadable records by their Kafka position."""
        await insert_missing(self._unreadable, [_unreadable(each, now) for each in records])

    async def thread(self, thread: str) -> list[Entry]:
        """All entries of a UCR or key, with the partner events that belong to it without naming it."""
        own = await self._find({"thread": thread})
        if not own:
            return []
        causes = frozenset(each.cause for each in own) - {each.id for each in own}
        refs = references(own)
        wanted = [f"{kind}={value}" for kind in _JOINED_BY for value in refs.get(kind, ())]
        strangers = await self._find({"_id": {"$in": sorted(causes)}}) if causes else []
        if wanted:
            strangers += await self._find({"terms": {"$in": wanted}, "ucr": ""})
        joined = {each.id: each for each in strangers if not each.ucr and belongs(each, refs, causes)}
        return own + list(joined.values())

    async def search(self, query: str, after: str, limit: int) -> list[tuple[str, set[str]]]:
        """Threads that `query` finds in any spelling, with the kinds of id, sorted by thread from after `after`."""
        wanted = sorted(f"{kind}={value}" for kind, value in (term(each, query) for each in Term))
        names = set(await self._entries.distinct("thread", {"terms": {"$in": wanted}}))
        if await self._entries.find_one({"thread": query}, {"_id": 1}) is not None:
            names.add(query)
        found = {name: set[str]() for name in sorted(name for name in names if name > after)[:limit]}
        where = {"thread": {"$in": list(found)}, "terms": {"$in": wanted}}
        async for document in self._entries.find(where, {"thread": 1, "terms": 1}):
            found[document["thread"]] |= {
                each.partition("=")[0] for each in document.get("terms", ()) if each in wanted
            }
        return [(name, kinds or {"thread"}) for name, kinds in found.items()]

    async def unreadable(self, before: Place | None, limit: int) -> tuple[int, list[_Document]]:
        """The number of unreadable records, and the newest of them before a place in the list."""
        where: dict[str, Any] = {}
        if before is not None:
            kept_at, id_ = before
            where = {"$or": [{"kept_at": {"$lt": kept_at}}, {"kept_at": kept_at, "_id": {"$lt": id_}}]}
        cursor = self._unreadable.find(where).sort([("kept_at", -1), ("_id", -1)]).limit(limit)
        return await self._unreadable.count_documents({}), [document async for document in cursor]

    async def _find(self, where: Mapping[str, Any]) -> list[Entry]:
        return [_entry(document) async for document in self._entries.find(where).limit(MAX_ENTRIES)]


def _indexed(document: _Document, terms: Sequence[str]) -> _Document:
    return document | {"terms": list(terms)} if terms else document


def _document(entry: Entry, id_: str) -> _Document:
    return {
        "_id": id_,
        "event": entry.id,
        "ucr": entry.ucr,
        "thread": entry.thread,
        "type": entry.type,
        "source": entry.source,
        "subject": entry.subject,
        "sequence": entry.sequence,
        "cause": entry.cause,
        "actor": entry.actor,
        "trace_id": entry.trace_id,
        "happened_at": entry.happened_at.isoformat(),
        "happened_offset": entry.happened_offset,
        "received_at": entry.received_at.isoformat(),
        "stated_at": entry.stated_at.isoformat(),
        "topic": entry.position.topic,
        "partition": entry.position.partition,
        "offset": entry.position.offset,
        "refs": sorted(f"{kind}={value}" for kind, value in entry.terms),
        "raw": entry.raw,
        "hash": entry.hash,
    }


def _entry(document: Mapping[str, Any]) -> Entry:
    refs = document["refs"] if "refs" in document else document["terms"]  # earlier releases had only `terms`
    # Times are stored as text: MongoDB's dates have milliseconds only, and steps can be closer than that.
    return Entry(
        id=document["event"],
        ucr=document["ucr"],
        thread=document["thread"],
        type=document["type"],
        source=document["source"],
        subject=document["subject"],
        sequence=document["sequence"],
        cause=document["cause"],
        actor=document["actor"],
        trace_id=document["trace_id"],
        happened_at=read_moment(document["happened_at"]),
        happened_offset=document["happened_offset"],
        received_at=read_moment(document["received_at"]),
        stated_at=read_moment(document["stated_at"]),
        position=Position(document["topic"], document["partition"], document["offset"]),
        terms=frozenset((Term(kind), value) for kind, _, value in (each.partition("=") for each in refs)),
        raw=document["raw"],
        facts=json.loads(document["raw"]),
        hash=document["hash"],
    )


def _unreadable(each: Unreadable, now: datetime) -> _Document:
    record = each.record
    return {
        "_id": str(record.position),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "headers": [[name.encode("utf-8", "replace").decode(), value] for name, value in record.headers],
        "value": record.value,
        "timestamp_ms": record.timestamp_ms,
        "reason": each.reason,
        "kept_at": now,
    }
