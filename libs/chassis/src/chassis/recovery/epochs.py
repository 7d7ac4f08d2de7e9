"""The epoch of a database: a number in its event ids, which an operator raises when the topic has lost events.

Keeps: no event id is used for two contents. Under a raised epoch, a database starts from what the topic has: one that
knows later events would leave a gap in the sequence, and one run under an older epoch would reuse ids. So the epoch is
stored in the database, and only `rebuild` raises it.
"""

from collections.abc import Sequence

from chassis.mongo import Database

_COLLECTION, _ID = "epochs", "epoch"


class EpochRefused(Exception):
    """The epoch of the settings differs from the database's; the text says what to do."""


async def check_epoch(db: Database, epoch: int, collections: Sequence[str]) -> None:
    """Check that a database belongs to this epoch; one without aggregates gets it.

    Args:
        collections: names of the collections that hold aggregates.

    Raises:
        EpochRefused: it belongs to another epoch.
    """
    begun = await _begun_under(db)
    _refuse_older(epoch, begun)
    if epoch > begun:
        for name in collections:
            if await db[name].find_one({}, {"_id": 1}) is not None:
                raise EpochRefused(
                    f"TRADE_EPOCH is {epoch}, but the database has epoch {begun}: an epoch is raised by `rebuild`,"
                    " on an empty database or an older copy"
                )
        await note_epoch(db, epoch)


async def note_epoch(db: Database, epoch: int) -> None:
    """Store the epoch of a database.

    Raises:
        EpochRefused: it belongs to a later one.
    """
    _refuse_older(epoch, await _begun_under(db))
    await db[_COLLECTION].update_one({"_id": _ID}, {"$set": {"number": epoch}}, upsert=True)


async def _begun_under(db: Database) -> int:
    found = await db[_COLLECTION].find_one({"_id": _ID})
    return 0 if found is None else int(found["number"])


def _refuse_older(epoch: int, begun: int) -> None:
    if epoch < begun:
        raise EpochRefused(f"TRADE_EPOCH is {epoch}, but the database has epoch {begun}: event ids would be used again")
