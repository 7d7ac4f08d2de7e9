"""The database by TLS and with users: what does not fit is one line that says what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from authority import Authority
from integration.secured.database import SecuredDatabase, secured_database
from pydantic import SecretStr
from pymongo.errors import PyMongoError

from chassis.mongo import Database, connect, open_database
from chassis.reaching_mongo import DatabaseRefusesUs, reaching_database
from chassis.settings import MongoSettings
from chassis.testing import eventually
from chassis.tls import CertificatesNotRead


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredDatabase]:
    folder = tmp_path_factory.mktemp("secured")
    async with secured_database(folder, Authority(folder, "authority"), ["registry"]) as running:
        yield running


@asynccontextmanager
async def opened(settings: MongoSettings, name: str = "registry") -> AsyncIterator[Database]:
    client = connect(settings)
    try:
        async with reaching_database(client):
            yield open_database(client, name)
    finally:
        await client.close()


async def refused(settings: MongoSettings, name: str = "registry") -> str:
    with pytest.raises(DatabaseRefusesUs) as told:
        async with opened(settings, name) as there:
            await there["tried"].insert_one({"_id": "tried"})
    line = str(told.value)
    assert line.count("\n") == 0
    return line


async def test_the_right_user_writes_and_reads_over_tls(database: SecuredDatabase) -> None:
    async with opened(database.settings("registry")) as there:
        await there["tried"].insert_one({"_id": "written"})
        assert await there["tried"].find_one({"_id": "written"}) == {"_id": "written"}
        assert there.write_concern.document == {"w": "majority", "wtimeout": 10_000, "j": True}


async def test_a_wrong_password_names_the_settings_and_never_the_password(database: SecuredDatabase) -> None:
    line = await refused(database.settings("registry", password=SecretStr("open-sesame")))
    assert line.startswith("the database refuses our user or its password: check TRADE_MONGO__USERNAME")


async def test_without_a_user_the_line_says_so(database: SecuredDatabase) -> None:
    line = await refused(database.settings("", password=None))
    assert "lacks the right readWrite on its own database: check TRADE_MONGO__USERNAME" in line


async def test_a_user_writes_to_no_database_but_its_own(database: SecuredDatabase) -> None:
    line = await refused(database.settings("registry"), "declarations")
    assert "lacks the right readWrite on its own database" in line


async def test_a_file_that_cannot_be_used_is_named(database: SecuredDatabase, tmp_path: Path) -> None:
    with pytest.raises(CertificatesNotRead, match=r"absent\.pem: no authority's certificate can be read from it"):
        connect(database.settings("registry", ca_file=tmp_path / "absent.pem"))


async def test_an_authority_added_to_the_file_counts_at_the_next_connection(
    database: SecuredDatabase, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Authority(tmp_path, "other").ca.read_bytes())
    client = connect(database.settings("registry", ca_file=ca))
    try:
        there = open_database(client, "registry")
        with pytest.raises(DatabaseRefusesUs):
            async with reaching_database(client):
                await there["tried"].find_one({})
        ca.write_bytes(database.authority.ca.read_bytes())

        async def answered() -> bool:
            # The embedded server takes no connection for some seconds after a handshake that failed.
            with suppress(PyMongoError):
                await there["tried"].find_one({})
                return True
            return False

        await eventually(answered, within_seconds=30)
    finally:
        await client.close()


async def test_an_unknown_authority_names_the_file_that_lacks_it(database: SecuredDatabase, tmp_path: Path) -> None:
    line = await refused(database.settings("registry", ca_file=Authority(tmp_path, "other").ca))
    assert "comes from an authority that TRADE_MONGO__CA_FILE does not hold" in line
