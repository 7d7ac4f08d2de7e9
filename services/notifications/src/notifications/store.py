"""Address and text of notices in MongoDB, one erasable document each."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from chassis.mongo import taken_ids
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
        if not texts:
            return {}
        operations = []
        for text in texts:
            fields = asdict(text)
            address = fields.pop("email")
            id_ = fields.pop("notice_id")
            operations.append(
                UpdateOne({"_id": id_}, {"$setOnInsert": fields, "$set": {"email": address}}, upsert=True)
            )
        try:
            await self._collection.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            # Two replicas inserting the same text at once: one of them is as good as the other.
            taken_ids(error)
        return await self.load([text.notice_id for text in texts])

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
