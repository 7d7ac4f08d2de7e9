"""Admits requests: a valid key is required, and each key has a rate limit.

The limit on concurrent requests is the server's: `chassis.doors`.
"""

from dataclasses import dataclass
from math import ceil
from typing import Protocol

from fastapi import Request

from chassis.clock import Clock
from gateway.domain.access import Principal
from gateway.domain.faults import Refused
from gateway.domain.pace import Pace
from gateway.http import refusals


class Authenticator(Protocol):
    async def principal(self, authorization: str | None) -> Principal:
        """The owner of the key in `Authorization`.

        Raises:
            Refused: the key is missing or invalid.
        """
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """Authenticates and rate-limits requests; every route calls it first."""

    authenticator: Authenticator
    pace: Pace
    clock: Clock

    async def enter(self, request: Request) -> Principal:
        """Authenticate the caller.

        Raises:
            Refused: no valid key, or too many requests.
        """
        principal = await self.authenticator.principal(request.headers.get("authorization"))
        refusals.entered(request, principal)
        wait = self.pace.wait_seconds(principal.key_id, self.clock.monotonic())
        if wait > 0:
            raise Refused("too-many-requests", seconds=ceil(wait))
        return principal
