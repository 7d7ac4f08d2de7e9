"""Reads timelines from tracking over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from trade_cli.coming_again import PATIENCE_SECONDS, again_seconds
from trade_cli.platform import CliError, Platform

PAUSE_SECONDS = 0.5

View = Mapping[str, Any]


class TrackingClient:
    """A client of tracking's HTTP door, in one language."""

    def __init__(self, http: httpx2.AsyncClient, language: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._http = http
        self._language = language
        self._patience = patience_seconds

    async def shipment(self, ucr: str, *, spans: bool = True) -> View:
        """The timeline of a UCR; `known` is false if no event names it. Without spans it is cheaper.

        Raises:
            CliError: tracking refuses.
            httpx2.HTTPError: tracking does not answer.
        """
        asked = {"id": ucr, "lang": self._language} | ({} if spans else {"spans": "no"})
        return await self._get("/shipments", asked, allowed=(200, 404))

    async def search(self, query: str) -> list[str]:
        """UCRs and keys under which exactly this id is known; only the first if there are many."""
        found = await self._get("/search", {"q": query, "lang": self._language}, allowed=(200,))
        return [each["thread"] for each in found["results"]]

    async def _get(self, path: str, parameters: Mapping[str, str], *, allowed: tuple[int, ...]) -> View:
        response = await self._let_in(path, parameters)
        if response.status_code not in allowed:
            raise CliError(f"tracking answers {response.status_code} to {path}{_detail(response)}")
        try:
            answer: View = response.json()
        except ValueError:
            raise CliError(f"tracking answers {path[:80]!r} without JSON") from None
        return answer

    async def _let_in(self, path: str, parameters: Mapping[str, str]) -> httpx2.Response:
        """The answer; retries while tracking is full or its database unavailable, until time is up."""
        until = asyncio.get_running_loop().time() + self._patience
        while True:
            response = await self._http.get(path, params=dict(parameters), headers={"accept": "application/json"})
            pause = again_seconds(response, PAUSE_SECONDS)
            if pause is None or asyncio.get_running_loop().time() > until:
                return response
            await asyncio.sleep(pause)


def _detail(response: httpx2.Response) -> str:
    """The detail of a problem (RFC 9457); empty if the answer is not one."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {detail}"


@asynccontextmanager
async def tracking(platform: Platform, language: str = "en") -> AsyncIterator[TrackingClient]:
    """A client of the platform's tracking.

    Raises:
        CliError: the password cannot be read.
    """
    auth = platform.tracking_auth()
    # Connect directly, ignoring proxies from the environment.
    async with httpx2.AsyncClient(base_url=platform.tracking_url, auth=auth, timeout=10, trust_env=False) as http:
        yield TrackingClient(http, language)
