"""Places in the core where a test makes the process die, freeze, or lose an answer.

Off, a passage is one look at an empty dictionary. They can be armed only where the settings say
`environment: development`: by the environment at start, or by the admin port while the process
runs. What a lost answer looks like is each place's own: the error that its client library raises.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from aiokafka.errors import KafkaConnectionError
from pymongo.errors import AutoReconnect

from values.numbers import is_digits

log = structlog.get_logger(__name__)


class Fault(StrEnum):
    KILL = "kill"
    """SIGKILL: nothing after this line happens."""
    FREEZE = "freeze"
    """SIGSTOP: the process goes on when somebody thaws it, and knows nothing of the time between."""
    LOSE = "lose"
    """The answer is lost behind a point, the request before one: the client library's error."""


def _database(point: str) -> Exception:
    return AutoReconnect(f"the answer was lost at {point}")


def _broker(point: str) -> Exception:
    lost: Exception = KafkaConnectionError(f"the answer was lost at {point}")
    return lost


def _peer(point: str) -> Exception:
    return ConnectionResetError(f"the answer was lost at {point}")


POINTS: Mapping[str, Callable[[str], Exception]] = {
    "batch.read": _database,  # a batch was fetched, nothing of it is decided
    "load.after": _database,  # its documents are loaded
    "save.before": _database,
    "save.after": _database,  # saved, and not known to be
    "publish.before": _broker,
    "publish.sent": _broker,  # on its way, not acknowledged
    "publish.after": _broker,  # acknowledged, and not noted
    "trim.before": _database,
    "trim.after": _database,
    "sweep.found": _database,  # a predecessor's unsent events were found, none is offered
    "commit.before": _broker,
    "commit.after": _broker,
    "park.before": _database,
    "park.kept": _database,  # the delivery is kept, its target not yet locked
    "park.after": _database,
    "redrive.before": _database,
    "redrive.applied": _database,  # replayed, and still parked
    "redrive.audited": _database,  # in the audit, and still parked
    "release.before": _database,
    "release.after": _database,
    "timer.due": _database,  # something is due, nothing is decided
    "timer.fired": _database,  # decided and saved, and not judged
    "peer.before": _peer,
    "peer.answered": _peer,  # the peer has answered, nothing is saved
    "claim.before": _database,
    "claim.after": _database,  # claimed, nothing is sent
    "send.after": _peer,  # sent, and not noted
    "history.copied": _database,  # old lines stand in both places
}
"""Every place, and what a lost answer is there."""


@dataclass
class _Arm:
    """What happens at the passage on which `left` comes to nothing."""

    fault: Fault
    left: int


_armed: dict[str, _Arm] = {}


class NotArmed(ValueError):
    """What was asked for cannot be armed; says what can."""


def passage(point: str) -> None:
    """Pass one of `POINTS`.

    Raises:
        Exception: the answer is to be lost here, and now.
    """
    if _armed:
        _pass(point)


def arm(orders: Sequence[str]) -> None:
    """Arm `<point>:<fault>` or `<point>:<fault>:<passage>`, such as `save.after:kill:3`; replaces what was armed.

    Raises:
        NotArmed: an order is not of this form.
    """
    wanted = dict(_read(order) for order in orders)
    _armed.clear()
    _armed.update(wanted)


def armed() -> list[str]:
    """What is armed and did not happen yet, in the form in which it was ordered."""
    return [f"{point}:{each.fault}:{each.left}" for point, each in _armed.items()]


def _read(order: str) -> tuple[str, _Arm]:
    point, _, rest = order.strip().partition(":")
    fault, _, passages = rest.partition(":")
    if point not in POINTS:
        raise NotArmed(f"{point!r} is no fail point; there are {', '.join(POINTS)}")
    if fault not in list(Fault):
        raise NotArmed(f"{fault!r} is no fault; there are {', '.join(Fault)}")
    if passages and not (is_digits(passages) and int(passages)):
        raise NotArmed(f"{passages!r} is no passage; they are counted from 1")
    return point, _Arm(Fault(fault), int(passages or 1))


def _pass(point: str) -> None:
    if (found := _armed.get(point)) is None:
        return
    found.left -= 1
    if found.left:
        return
    del _armed[point]
    log.warning("fail_point", point=point, fault=found.fault)
    match found.fault:
        case Fault.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Fault.FREEZE:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Fault.LOSE:
            raise POINTS[point](point)
