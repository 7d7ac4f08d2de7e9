"""Letters as a claimed effect: which commands claim and note an attempt, and how one is made."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog
from chaos.toy.letter import Claim, Command, Letter, LetterStatus, NoteNotTaken, NoteSent, NotMineToSend

from chassis.waiting import Effect, Limits, NotTaken, Route, Taken

Send = Callable[[str], Awaitable[None]]
"""Hands one id over. Raises infrastructure errors where nobody takes it."""

log = structlog.get_logger(__name__)


def limits(claim_seconds: float) -> Limits:
    """A letter is never given up."""
    return Limits(
        lease_seconds=claim_seconds,
        at_once=50,
        at_once_per_route=25,
        first_retry_seconds=0.5,
        longest_retry_seconds=3.0,
        give_up_after_seconds=float("inf"),
    )


def letter_effect(send: Send, actor: str) -> Effect[Letter, Command, None, str]:
    """The sending of a letter."""

    async def attempt(letter: Letter, _: None) -> Taken:
        await send(letter.id)
        return Taken()

    return Effect(
        name="letter",
        actor=actor,
        route=Route(lambda letter: letter.key, "key"),
        id=lambda letter: letter.id,
        waits=lambda letter: letter.status is LetterStatus.READY,
        attempts=lambda letter: letter.attempts,
        since=lambda letter: letter.written_at,
        load=_nothing,
        attempt=attempt,
        broke=_broke,
        claim=Claim,
        taken=lambda _: NoteSent(),
        not_taken=_not_taken,
        not_due=NotMineToSend,
    )


async def _nothing(_: Sequence[str]) -> Mapping[str, None]:
    return {}


def _broke(letter: Letter, error: Exception) -> NotTaken[str]:
    log.warning("letter_not_taken", letter=letter.id, error=repr(error)[:300])
    return NotTaken(repr(error))


def _not_taken(attempt: int, _: str, retry_at: datetime | None) -> Command:
    assert retry_at is not None, "a letter is never given up"
    return NoteNotTaken(attempt, retry_at)


async def send_to(address: str, id_: str) -> None:
    """Hand one id to the sink at `host:port`.

    Raises:
        OSError, TimeoutError: it was not taken, or its answer was lost.
    """
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"{id_}\n".encode())
            await writer.drain()
            if await reader.readline() != b"OK\n":
                raise ConnectionResetError("the sink did not answer")
        finally:
            writer.close()
