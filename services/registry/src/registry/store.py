"""Registry's MongoDB collections: enterprises, claims of numbers, contacts."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from chassis.aggregates import AggregateType, dataclass_codec
from registry.claims import Claim
from registry.domain.contact import Contact, Moment, Noted
from registry.domain.enterprise import Command, Enterprise, Event, decide, evolve
from registry.messages import EnterpriseMessages

Document = dict[str, Any]

ENTERPRISE: AggregateType[Enterprise, Command, Event] = AggregateType(
    name="enterprise",
    collection="enterprises",
    decide=decide,
    evolve=evolve,
    key=lambda state: state.id,
    codec=dataclass_codec(Enterprise),
    messages=EnterpriseMessages(),
    indexes=(IndexModel([("state.numbers", ASCENDING)]),),
)


class MongoClaims:
    """Claims: `{_id: SCHEME:VALUE, enterprise_id, commands, version}`."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    async def load(self, numbers: Sequence[str]) -> dict[str, Claim]:
        found = self._collection.find({"_id": {"$in": list(numbers)}})
        return {document["_id"]: _claim(document) async for document in found}

    async def insert(self, claim: Claim) -> bool:
        try:
            await self._collection.insert_one({"_id": claim.number, **_claim_fields(claim)})
        except DuplicateKeyError:
            return False
        return True

    async def replace(self, claim: Claim, expected_version: int) -> bool:
        result = await self._collection.update_one(
            {"_id": claim.number, "version": expected_version}, {"$set": _claim_fields(claim)}
        )
        return result.matched_count == 1


class MongoContacts:
    """Personal data.

    `{_id: enterprise id, version, fields: {email: {value, at, place, command_id}, …},
    drafts: [{command_id, given: {email, …}}, …]}`
    """

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    async def load(self, ids: Sequence[str]) -> dict[str, Contact]:
        found = self._collection.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: _contact(document) async for document in found}

    async def save(self, enterprise_id: str, contact: Contact) -> bool:
        fields = {
            name: {"value": each.value, "at": each.moment.at, "place": each.moment.place, "command_id": each.command_id}
            for name, each in contact.fields.items()
        }
        drafts = [{"command_id": id_, "given": dict(said)} for id_, said in contact.drafts.items()]
        values = {"fields": fields, "drafts": drafts, "version": contact.version + 1}
        if contact.version:
            result = await self._collection.update_one(
                {"_id": enterprise_id, "version": contact.version}, {"$set": values}
            )
            return result.matched_count == 1
        try:
            await self._collection.insert_one({"_id": enterprise_id, **values})
        except DuplicateKeyError:
            return False
        return True

    async def erase(self, enterprise_id: str) -> None:
        await self._collection.delete_one({"_id": enterprise_id})


def _claim_fields(claim: Claim) -> Document:
    return {"enterprise_id": claim.enterprise_id, "commands": list(claim.commands), "version": claim.version}


def _claim(document: Mapping[str, Any]) -> Claim:
    return Claim(document["_id"], document["enterprise_id"], tuple(document["commands"]), document["version"])


def _contact(document: Mapping[str, Any]) -> Contact:
    fields = {
        name: Noted(each["value"], Moment(each["at"], each["place"]), each["command_id"])
        for name, each in document["fields"].items()
    }
    drafts = {each["command_id"]: each["given"] for each in document.get("drafts", ())}
    return Contact(fields, drafts, document["version"])
