"""Why the database refuses us, in one line for the operator."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from chassis.failures import InfrastructureError
from chassis.tls import tls_fault

TRY_SECONDS = 5.0
_REFUSALS = {
    13: (  # Unauthorized
        "the database user is not known to it or lacks the right readWrite on its own database: check "
        "TRADE_MONGO__USERNAME and the roles of this user"
    ),
    18: (  # AuthenticationFailed
        "the database refuses our user or its password: check TRADE_MONGO__USERNAME and "
        "TRADE_MONGO__PASSWORD_FILE, and that the database has this user"
    ),
}
"""Server error code → what to do."""
Client = AsyncMongoClient[dict[str, Any]]


class DatabaseRefusesUs(InfrastructureError):
    """The database is there and refuses us; the text is one line that says why and what to do."""


@contextlib.asynccontextmanager
async def reaching_database(client: Client) -> AsyncIterator[None]:
    """Around calls whose failure an operator must understand.

    Raises:
        DatabaseRefusesUs: settings, certificates or rights do not fit the database.
        PyMongoError: any other failure.
    """
    try:
        yield
    except PyMongoError as error:
        if line := await _told(client, error):
            raise DatabaseRefusesUs(line) from error
        raise


async def refusal_of(client: Client) -> str | None:
    """Why the database refuses us, asked by a ping; None: it does not.

    Raises:
        PyMongoError: it is unavailable.
    """
    try:
        async with reaching_database(client):
            await client.admin.command("ping")
    except DatabaseRefusesUs as error:
        return str(error)
    return None


async def _told(client: Client, error: PyMongoError) -> str:
    if isinstance(error, OperationFailure):
        return _REFUSALS.get(error.code or 0, "")
    if isinstance(error, ServerSelectionTimeoutError):
        return await _tls_fault(client)
    return ""


async def _tls_fault(client: Client) -> str:
    """What is wrong with TLS to the servers; empty: nothing. The driver clears the causes of its errors."""
    context = client.options.pool_options._ssl_context
    addresses = client.topology_description.server_descriptions() if context is not None else ()
    for host, port in addresses:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=context)
        except ssl.SSLError as error:
            words = tls_fault(error, ca="TRADE_MONGO__CA_FILE", own="TRADE_MONGO__CERTIFICATE_FILE")
            return f"the database at {host}:{port}: {words}"
        except OSError:  # away, or no answer in time
            continue
        writer.close()
    return ""
