"""Sends letters outside the consumer: claims what is due, hands it over, notes it.

Keeps: an attempt is saved as claimed before a byte goes out; a process that dies between sending and
noting leaves a claim that ends, and the repeat goes out under the same id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from chaos.toy.aggregates import Letters
from chaos.toy.letter import Claim, Command, Letter, LetterStatus, NoteSent

from chassis.aggregates import Applied, Input
from chassis.clock import Clock
from chassis.failpoints import passage
from chassis.failures import is_infrastructure

INTERVAL_SECONDS = 0.5
AT_ONCE = 50

Send = Callable[[str], Awaitable[None]]
"""Hands one id over. Raises infrastructure errors where nobody takes it."""

log = structlog.get_logger(__name__)


class Post:
    """The one sender of a process."""

    def __init__(self, letters: Letters, send: Send, clock: Clock, *, claim_seconds: float, actor: str) -> None:
        self._letters = letters
        self._send = send
        self._clock = clock
        self._claim_for = timedelta(seconds=claim_seconds)
        self._actor = actor
        self._wake = asyncio.Event()
        letters.on_saved(self._saved)

    def _saved(self, letter: Letter) -> None:
        if letter.status is LetterStatus.READY:
            self._wake.set()

    async def run(self) -> None:
        """Send what is due, for ever."""
        while True:
            self._wake.clear()
            try:
                while await self.send_due():
                    pass
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                log.warning("letters_wait", error=repr(error)[:300])
            await self._pause()

    async def send_due(self) -> int:
        """Claim a batch and hand it over; how many went out."""
        now = self._clock.now()
        due = await self._letters.find({"try_after": {"$lte": now}}, sort=[("try_after", 1)], limit=AT_ONCE)
        if not due:
            return 0
        claims: list[Input[Command]] = [
            Input(
                target=letter.id,
                cause=f"{letter.id}/attempt/{letter.attempts + 1}",
                command=Claim(letter.id, letter.attempts + 1, now + self._claim_for),
                actor=self._actor,
                hash=self._actor,
            )
            for letter in due
        ]
        passage("claim.before")
        outcomes = await self._letters.apply(claims)
        passage("claim.after")
        mine = [claim.target for claim, outcome in zip(claims, outcomes, strict=True) if isinstance(outcome, Applied)]
        sent = await asyncio.gather(*(self._hand_over(id_) for id_ in mine))
        done = [id_ for id_, taken in zip(mine, sent, strict=True) if taken]
        await self._letters.apply([Input(id_, f"{id_}/sent", NoteSent(), self._actor) for id_ in done])
        return len(done)

    async def _hand_over(self, id_: str) -> bool:
        try:
            await self._send(id_)
            passage("send.after")
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("letter_not_taken", letter=id_, error=repr(error)[:300])
            return False  # its claim ends, and it is tried again
        return True

    async def _pause(self) -> None:
        waking = asyncio.ensure_future(self._wake.wait())
        sleeping = asyncio.ensure_future(self._clock.sleep(INTERVAL_SECONDS))
        try:
            await asyncio.wait({waking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            sleeping.cancel()


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
