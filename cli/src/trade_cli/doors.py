"""A client of the gateway's public doors, as firms and partners use them: HTTP with a key."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from trade_cli.coming_again import PATIENCE_SECONDS, again_seconds
from trade_cli.platform import CliError, Platform

PAUSE_SECONDS = 0.1
_TAKEN = 202


class Doors:
    """Sends submissions, retrying until the gateway accepts them; each has an id, so retries are harmless."""

    def __init__(self, http: httpx2.AsyncClient, patience_seconds: float) -> None:
        self._http = http
        self._patience = patience_seconds

    async def lodge(self, key: str, declaration: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lodge a declaration; returns its receipt."""
        return await self._post("/v1/declarations", key, declaration)

    async def submit_project(self, key: str, project: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._post("/v1/projects", key, project)

    async def submit_mandate(self, key: str, mandate: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._post("/v1/mandates", key, mandate)

    async def tell(self, key: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Submit one structured CloudEvent."""
        return await self._post("/v1/events", key, event, "application/cloudevents+json")

    async def tell_all(self, key: str, events: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """Submit CloudEvents as one batch; returns per event why it was refused, or None if it was accepted."""
        answer = await self._post("/v1/events", key, list(events), "application/cloudevents-batch+json")
        return [_refusal(result) for result in answer["results"]]

    async def _post(
        self, path: str, key: str, content: Mapping[str, Any] | list[Any], media_type: str = "application/json"
    ) -> Mapping[str, Any]:
        """Post until it is accepted.

        Raises:
            CliError: the gateway refuses it, or does not accept it in time.
        """
        headers = {"authorization": f"Bearer {key}", "content-type": media_type}
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            pause: float | None = PAUSE_SECONDS
            try:
                response = await self._http.post(path, json=content, headers=headers)
            except httpx2.TransportError as error:
                problem = f"the gateway does not answer {path}: {type(error).__name__}"
            else:
                if response.status_code == _TAKEN:
                    receipt: Mapping[str, Any] = response.json()
                    return receipt
                problem = f"the gateway answers {response.status_code} to {path}: {_reason(response)}"
                pause = again_seconds(response, PAUSE_SECONDS)
            if pause is None or asyncio.get_running_loop().time() > deadline:
                raise CliError(problem)
            await asyncio.sleep(pause)


@asynccontextmanager
async def doors(
    platform: Platform, patience_seconds: float = PATIENCE_SECONDS, connections: int = 20
) -> AsyncIterator[Doors]:
    """The doors of a platform."""
    limits = httpx2.Limits(max_connections=connections)
    url = platform.gateway_url
    async with httpx2.AsyncClient(base_url=url, timeout=20, limits=limits, trust_env=False) as http:
        yield Doors(http, patience_seconds)


def _reason(response: httpx2.Response) -> str:
    """The title and first errors of the gateway's problem details (RFC 9457)."""
    try:
        return _words(response.json())
    except (ValueError, AttributeError):
        return response.text[:200]


def _refusal(result: Mapping[str, Any]) -> str | None:
    """Why an event of a batch was refused."""
    if result.get("status") != "refused":
        return None
    return f"the gateway refuses the event {result.get('submission_id', '')}: {_words(result['problem'])}"


def _words(problem: Mapping[str, Any]) -> str:
    faults = [f"{each.get('pointer', '')} {each.get('code', '')}".strip() for each in problem.get("errors", [])]
    return "; ".join([str(problem.get("title", "")), *faults[:5]])
