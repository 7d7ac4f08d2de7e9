"""Who may pass the HTTP door: whoever shows a valid key, at the pace of one key.

Places for requests in hand, and what is answered beyond them, are the server's: `chassis.doors`.
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
        """Who shows a key in `Authorization`.

        Raises:
            Refused: there is no key, or not a valid one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets requests in; every route asks it first."""

    authenticator: Authenticator
    pace: Pace
    clock: Clock

    async def enter(self, request: Request) -> Principal:
        """Who is at the door, once its pace allows it.

        Raises:
            Refused: no valid key, or too fast.
        """
        principal = await self.authenticator.principal(request.headers.get("authorization"))
        refusals.entered(request, principal)
        wait = self.pace.wait_seconds(principal.key_id, self.clock.monotonic())
        if wait > 0:
            raise Refused("too-many-requests", seconds=ceil(wait))
        return principal
