"""Original bytes in the collection `originals`. Every write is harmless to repeat."""

from collections.abc import Sequence

from bson import Binary

from chassis.mongo import Database, insert_missing
from gateway.receipts.keeping import Original


class MongoOriginals:
    """Original bytes by SHA-256: the same bytes are stored once, without a time limit. They contain personal data."""

    def __init__(self, database: Database) -> None:
        self._collection = database["originals"]

    async def save(self, originals: Sequence[Original]) -> None:
        documents = {
            each.id: {"_id": each.id, "media_type": each.media_type, "body": Binary(each.body)} for each in originals
        }
        await insert_missing(self._collection, list(documents.values()))

    async def get(self, id_: str) -> Original | None:
        document = await self._collection.find_one({"_id": id_})
        return None if document is None else Original(bytes(document["body"]), document["media_type"])
