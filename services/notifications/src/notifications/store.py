"""Address and text of notices in MongoDB, one erasable document each."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import insert_missing
from notifications.domain.notice import Channel
from notifications.texts import PageMark, StoredText


class MongoTexts:
    """The real store."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._collection = collection

    async def create_indexes(self) -> None:
        await self._collection.create_indexes(
            [
                IndexModel(
                    [
                        ("recipient", ASCENDING),
                        ("channel", ASCENDING),
                        ("stored_at", DESCENDING),
                        ("_id", DESCENDING),
                    ]
                )
            ]
        )

    async def keep(self, texts: Sequence[StoredText]) -> dict[str, StoredText]:
        kept = {text.notice_id: text for text in texts}
        there = sorted(await insert_missing(self._collection, [_document(text) for text in kept.values()]))
        if there:
            addresses = [UpdateOne({"_id": id_}, {"$set": {"email": kept[id_].email}}) for id_ in there]
            await self._collection.bulk_write(addresses, ordered=False)
            kept |= await self.load(there)
        return kept

    async def load(self, notice_ids: Sequence[str]) -> dict[str, StoredText]:
        found = self._collection.find({"_id": {"$in": list(notice_ids)}})
        return {document["_id"]: _read(document) async for document in found}

    async def inbox(self, recipient: str, after: PageMark | None, limit: int) -> list[StoredText]:
        where: dict[str, Any] = {"recipient": recipient, "channel": Channel.INBOX.value}
        if after is not None:
            where["$or"] = [
                {"stored_at": {"$lt": after[0]}},
                {"stored_at": after[0], "_id": {"$lt": after[1]}},
            ]
        cursor = self._collection.find(where, limit=limit).sort([("stored_at", DESCENDING), ("_id", DESCENDING)])
        return [_read(document) async for document in cursor]

    async def erase(self, recipient: str) -> int:
        return (await self._collection.delete_many({"recipient": recipient})).deleted_count


def _document(text: StoredText) -> dict[str, Any]:
    fields = asdict(text)
    return {"_id": fields.pop("notice_id"), **fields}


def _read(document: dict[str, Any]) -> StoredText:
    return StoredText(
        notice_id=document["_id"],
        recipient=document["recipient"],
        channel=Channel(document["channel"]),
        ucr=document["ucr"],
        template=document["template"],
        template_version=document["template_version"],
        language=document["language"],
        subject=document["subject"],
        body=document["body"],
        email=document["email"],
        stored_at=document["stored_at"],
    )
