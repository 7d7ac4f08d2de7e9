"""Letters: one per order that asks for it, claimed before it is sent, sent at least once under one id. Pure.

READY ─▶ CLAIMED ─▶ SENT        a claim that ran out is claimed again: the letter may go out twice, under one id
  ▲         │
  └─not taken
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never


class LetterStatus(StrEnum):
    READY = "ready"
    CLAIMED = "claimed"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Letter:
    id: str
    """Also the id under which it goes out."""
    key: str
    status: LetterStatus
    written_at: datetime
    due_at: datetime
    """The next attempt, or the end of the claimed one."""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    letter: str
    key: str


@dataclass(frozen=True, slots=True)
class Claim:
    attempt: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NoteSent:
    pass


@dataclass(frozen=True, slots=True)
class NoteNotTaken:
    attempt: int
    retry_at: datetime


Command = Write | Claim | NoteSent | NoteNotTaken


@dataclass(frozen=True, slots=True)
class Written:
    letter: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    attempt: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    pass


@dataclass(frozen=True, slots=True)
class NotTaken:
    attempt: int
    retry_at: datetime


Event = Written | Claimed | Sent | NotTaken


class NotMineToSend(Exception):
    """Another claim of the letter is in progress, or it is sent."""


def decide(state: Letter | None, command: Command, now: datetime) -> Sequence[Event]:
    """The events that come of a command.

    Raises:
        NotMineToSend: a claim of what is claimed or sent.
    """
    match command:
        case Write(letter, key):
            return (Written(letter, key, now),) if state is None else ()
        case Claim(attempt, until):
            free = state is not None and state.status is not LetterStatus.SENT and state.due_at <= now
            if state is None or not free or attempt != state.attempts + 1:
                raise NotMineToSend(attempt)
            return (Claimed(attempt, until),)
        case NoteSent():
            return (Sent(),) if state is not None and state.status is not LetterStatus.SENT else ()
        case NoteNotTaken(attempt, retry_at):
            latest = state is not None and state.status is LetterStatus.CLAIMED and attempt == state.attempts
            return (NotTaken(attempt, retry_at),) if latest else ()
        case _:
            assert_never(command)


def evolve(state: Letter | None, event: Event) -> Letter:
    match event:
        case Written(letter, key, at):
            return Letter(letter, key, LetterStatus.READY, written_at=at, due_at=at)
        case Claimed(attempt, until):
            assert state is not None
            return replace(state, status=LetterStatus.CLAIMED, attempts=attempt, due_at=until)
        case Sent():
            assert state is not None
            return replace(state, status=LetterStatus.SENT)
        case NotTaken(_, retry_at):
            assert state is not None
            return replace(state, status=LetterStatus.READY, due_at=retry_at)
        case _:
            assert_never(event)


def due_at(state: Letter) -> datetime | None:
    return None if state.status is LetterStatus.SENT else state.due_at
