"""The embedded database with TLS and users; each may write to its own database alone, where the server enforces it."""

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from authority import Authority
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from chassis.settings import MongoSettings
from launcher.database import secantus
from launcher.ports import PortBlock
from launcher.progress import silent


@dataclass(slots=True)
class SecuredDatabase:
    url: str
    authority: Authority
    passwords: dict[str, str] = field(default_factory=dict)

    def settings(self, user: str, **other: object) -> MongoSettings:
        """What a service is told so that it comes in as this user."""
        told = {
            "url": SecretStr(self.url),
            "username": user,
            "password": SecretStr(self.passwords.get(user, "")),
            "ca_file": self.authority.ca,
        }
        return MongoSettings.model_validate(told | other)


@asynccontextmanager
async def secured_database(folder: Path, authority: Authority, users: Iterable[str]) -> AsyncIterator[SecuredDatabase]:
    """Started plain to make the users, then with TLS and nothing without a user."""
    ports = PortBlock()
    port = ports.choose(["database"], {})["database"]
    (folder / "database").mkdir()
    database = SecuredDatabase(f"mongodb://127.0.0.1:{port}/?directConnection=true", authority)
    plain = secantus(folder / "database", folder / "plain-database.log", port=port)
    await plain.start(silent)
    try:
        async with AsyncMongoClient[dict[str, object]](database.url) as client:
            for user in users:
                database.passwords[user] = secrets.token_urlsafe(18)
                roles = [{"role": "readWrite", "db": user}]
                await client.admin.command("createUser", user, pwd=database.passwords[user], roles=roles)
    finally:
        await plain.stop()
    issued = authority.issue("database", "127.0.0.1")
    secured = secantus(
        folder / "database",
        folder / "database.log",
        port=port,
        further=["--auth", "--tls-cert-file", str(issued.certificate), "--tls-key-file", str(issued.key)],
        access=f"&tls=true&tlsCAFile={authority.ca}",
    )
    await secured.start(silent)
    try:
        yield database
    finally:
        await secured.stop()
        ports.release()
