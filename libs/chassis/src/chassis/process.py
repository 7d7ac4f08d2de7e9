"""Runs a service as a process: settings and arguments in, an exit status out. Called by a service's `__main__.py`."""

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import TypeVar

import structlog

from chassis import failpoints
from chassis.assembly import Assembly
from chassis.broker.topic_check import TopicMismatch
from chassis.broker.topic_making import TopicsRefused
from chassis.recovery.epochs import EpochRefused
from chassis.recovery.rebuild import AheadOfTopic, EventsMissing
from chassis.recovery.rereading import GroupStillRuns
from chassis.service import Service
from chassis.settings import ServiceSettings, load
from chassis.telemetry import logs
from chassis.tls import CertificatesNotRead

Settings = TypeVar("Settings", bound=ServiceSettings)

log = structlog.get_logger(__name__)


def main(build: Callable[[Settings], Assembly], settings: type[Settings]) -> None:
    """Run a service until it is told to stop.

    With the argument `prepare`, create its indexes and topics and exit; with `rebuild`, rebuild its database and exit.
    Exit status 2: wrong settings, arguments or certificates; 3: wrong topics at the broker; 4: the database does not
    fit the topics.
    """
    if sys.argv[1:] not in ([], ["prepare"], ["rebuild"]):
        print("usage: python -m <service> [prepare | rebuild]", file=sys.stderr)
        sys.exit(2)
    loaded = load(settings)
    logs.configure(loaded.name, loaded.log_level, loaded.build)
    try:
        failpoints.arm(loaded.fail_points)
    except failpoints.NotArmed as error:
        print(f"TRADE_FAIL_POINTS: {error}", file=sys.stderr)
        sys.exit(2)
    log.info("starting", settings=loaded.model_dump(mode="json"))
    _tune_garbage_collection()

    async def run() -> None:
        # Clients bind to the running loop, so everything is built inside it.
        service = Service(build(loaded))
        match sys.argv[1:]:
            case ["prepare"]:
                log.info("prepared", topics=await service.prepare())
            case ["rebuild"]:
                log.info("rebuilt", events=await service.rebuild())
            case _:
                await service.run()

    try:
        asyncio.run(run())
    except (CertificatesNotRead, TopicMismatch, TopicsRefused) as error:
        print(error, file=sys.stderr)
        sys.exit(2 if isinstance(error, CertificatesNotRead) else 3)
    except (EpochRefused, AheadOfTopic, EventsMissing, GroupStillRuns) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(4)


def _tune_garbage_collection() -> None:
    """Exempt imported objects from garbage collection, and collect less often.

    Batches create many short-lived objects without cycles; scanning everything loaded because of them took a quarter
    of a busy service's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
