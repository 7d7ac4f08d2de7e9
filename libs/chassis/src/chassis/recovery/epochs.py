"""The epoch of a database: the number in its event ids that an operator raises when its topic has lost its tail.

Keeps: no event id is used for two contents. Under a raised epoch a database begins with what the
topic has; one that knows more would go on counting over a hole, and one that is read under an older
epoch would use ids again. So the epoch is noted in the database, and raised by `rebuild` alone.
"""

from collections.abc import Sequence

from chassis.mongo import Database

_COLLECTION, _ID = "epochs", "epoch"


class EpochRefused(Exception):
    """The epoch of the settings is not that of the database; says what to do."""


async def check_epoch(db: Database, epoch: int, collections: Sequence[str]) -> None:
    """See that a database was begun under this epoch; one that holds no aggregates yet begins under it.

    Args:
        collections: names of those that hold aggregates.

    Raises:
        EpochRefused: it was not.
    """
    begun = await _begun_under(db)
    _refuse_older(epoch, begun)
    if epoch > begun:
        for name in collections:
            if await db[name].find_one({}, {"_id": 1}) is not None:
                raise EpochRefused(
                    f"TRADE_EPOCH is {epoch}, the database was begun under {begun}: an epoch is raised by `rebuild`,"
                    " over a database that is empty or an older copy"
                )
        await note_epoch(db, epoch)


async def note_epoch(db: Database, epoch: int) -> None:
    """Note under which epoch a database goes on.

    Raises:
        EpochRefused: it was begun under a later one.
    """
    _refuse_older(epoch, await _begun_under(db))
    await db[_COLLECTION].update_one({"_id": _ID}, {"$set": {"number": epoch}}, upsert=True)


async def _begun_under(db: Database) -> int:
    found = await db[_COLLECTION].find_one({"_id": _ID})
    return 0 if found is None else int(found["number"])


def _refuse_older(epoch: int, begun: int) -> None:
    if epoch < begun:
        raise EpochRefused(
            f"TRADE_EPOCH is {epoch}, the database was begun under {begun}: event ids would be used again"
        )
