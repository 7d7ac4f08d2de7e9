"""Points in the core where a test makes the process die, freeze, or lose an answer.

Unarmed, passing one costs one look-up in an empty dictionary. They can be armed only where the settings say
`environment: development`: by the environment at start, or by the admin port while the process
runs. A lost answer is simulated by the error that the client library of that point raises.
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
    """SIGSTOP: the process continues when somebody sends SIGCONT, unaware of the time between."""
    LOSE = "lose"
    """The client library's error, as if the answer (after a call) or the request (before one) were lost."""


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
    "save.after": _database,  # saved, and the answer not yet received
    "publish.before": _broker,
    "publish.sent": _broker,  # on its way, not acknowledged
    "publish.after": _broker,  # acknowledged, not yet recorded
    "trim.before": _database,
    "trim.after": _database,
    "sweep.found": _database,  # a predecessor's unsent events were found, none is offered yet
    "commit.before": _broker,
    "commit.after": _broker,
    "park.before": _database,
    "park.kept": _database,  # the delivery is stored, its target not yet locked
    "park.after": _database,
    "redrive.before": _database,
    "redrive.applied": _database,  # replayed, and still parked
    "redrive.audited": _database,  # in the audit, and still parked
    "release.before": _database,
    "release.after": _database,
    "timer.due": _database,  # something is due, nothing is decided
    "timer.fired": _database,  # decided and saved, outcome not yet examined
    "peer.before": _peer,
    "peer.answered": _peer,  # the peer has answered, nothing is saved
    "claim.before": _database,
    "claim.after": _database,  # claimed, nothing is sent
    "send.after": _peer,  # sent, outcome not yet saved
    "history.copied": _database,  # old lines are in both collections
}
"""Every fail point, and the error of an answer lost there."""


@dataclass
class _Arm:
    """The fault that happens when `left` has counted down to zero."""

    fault: Fault
    left: int


_armed: dict[str, _Arm] = {}


class NotArmed(ValueError):
    """The order cannot be armed; the text lists what can."""


def passage(point: str) -> None:
    """Pass one of `POINTS`.

    Raises:
        Exception: an armed `lose` fault is due.
    """
    if _armed:
        _pass(point)


def arm(orders: Sequence[str]) -> None:
    """Arm `<point>:<fault>` or `<point>:<fault>:<passage>`, such as `save.after:kill:3`; replaces all that was armed.

    Raises:
        NotArmed: an order is not of this form.
    """
    wanted = dict(_read(order) for order in orders)
    _armed.clear()
    _armed.update(wanted)


def armed() -> list[str]:
    """What is armed and has not happened yet, in the form in which it was ordered."""
    return [f"{point}:{each.fault}:{each.left}" for point, each in _armed.items()]


def _read(order: str) -> tuple[str, _Arm]:
    point, _, rest = order.strip().partition(":")
    fault, _, passages = rest.partition(":")
    if point not in POINTS:
        raise NotArmed(f"{point!r} is not a fail point; known: {', '.join(POINTS)}")
    if fault not in list(Fault):
        raise NotArmed(f"{fault!r} is not a fault; known: {', '.join(Fault)}")
    if passages and not (is_digits(passages) and int(passages)):
        raise NotArmed(f"{passages!r} is not a passage number; they are counted from 1")
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
