"""What `app.py` composes."""

from collections.abc import Callable, Sequence
from inspect import getmembers, isfunction
from pathlib import Path
from typing import Any

import pytest
from parcels import LIMITS
from parcels import World as Parcels
from pydantic import SecretStr
from tallies import TALLY, TOPIC, Add

from chassis.aggregates import Aggregates
from chassis.assembly import AssembledTooLate, Assembly
from chassis.delivery import RawRecord, RawSubscription
from chassis.doors.answering import plainly
from chassis.rpc import create_key
from chassis.service import Service
from chassis.settings import DoorSettings, HttpSettings, KafkaSettings, ListenSettings, MongoSettings, ServiceSettings
from chassis.waiting import Passing
from contracts.topics import GATEWAY, REGISTRY


class Nobody:
    async def apply(self, records: Sequence[RawRecord]) -> None:
        raise AssertionError(records)


@pytest.fixture
async def assembly(tmp_path: Path) -> Assembly:
    create_key(tmp_path, "tests")
    return Assembly(
        ServiceSettings(
            name="tests",
            environment="development",
            instance="one",
            kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
            mongo=MongoSettings(url=SecretStr("mongodb://127.0.0.1:1")),
            grpc=DoorSettings(port=0),
            admin=ListenSettings(port=0),
            keys_dir=tmp_path,
            peers={"registry": "127.0.0.1:1"},
        )
    )


async def test_every_subscription_before_the_policy_is_read_is_in_it(assembly: Assembly) -> None:
    assembly.subscribe(RawSubscription(GATEWAY.name, Nobody()))
    assembly.subscribe(RawSubscription(REGISTRY.name, Nobody()))
    assert sorted(assembly.policy.topics) == sorted([GATEWAY.name, REGISTRY.name])


@pytest.mark.parametrize("read", ["policy", "group", "topics"])
async def test_a_subscription_after_the_policy_was_read_is_refused(assembly: Assembly, read: str) -> None:
    assembly.subscribe(RawSubscription(GATEWAY.name, Nobody()))
    getattr(assembly, read)
    with pytest.raises(AssembledTooLate, match=REGISTRY.name):
        assembly.subscribe(RawSubscription(REGISTRY.name, Nobody()))


async def _nothing(*_: Any) -> None: ...


async def _no_work(_: Sequence[Any]) -> Sequence[None]:
    return []


ADDITIONS: dict[str, Callable[[Assembly, Aggregates[Any, Any, Any]], Any]] = {
    "aggregates": lambda assembly, _: assembly.aggregates(TALLY, topic=TOPIC),
    "subscribe": lambda assembly, _: assembly.subscribe(RawSubscription(GATEWAY.name, Nobody())),
    "timers": lambda assembly, tallies: assembly.timers(tallies, lambda _: Passing("payment", Add(1))),
    "pending": lambda assembly, tallies: assembly.pending(tallies, _no_work, name="look-up"),
    "effects": lambda assembly, _: assembly.effects(Parcels().parcels, Parcels().effect(), LIMITS),
    "background": lambda assembly, _: assembly.background(_nothing),
    "on_start": lambda assembly, _: assembly.on_start(_nothing),
    "on_rebuilt": lambda assembly, _: assembly.on_rebuilt(_nothing),
    "grpc": lambda assembly, _: assembly.grpc(lambda _: None, rights={}),
    "http": lambda assembly, _: assembly.http(_nothing, HttpSettings(port=0), paths=[], otherwise=plainly),
    "peer": lambda assembly, _: assembly.peer("registry"),
}
"""Method of the assembly → something to add by it."""


async def test_every_method_that_adds_something_is_tried_below() -> None:
    public = {name for name, _ in getmembers(Assembly, isfunction) if not name.startswith("_")}
    assert public - {"close"} == set(ADDITIONS)


@pytest.mark.parametrize("method", ADDITIONS)
async def test_what_is_added_after_its_life_began_is_refused(assembly: Assembly, method: str) -> None:
    tallies = assembly.aggregates(TALLY, topic=TOPIC)
    ADDITIONS[method](assembly, tallies)
    Service(assembly)
    with pytest.raises(AssembledTooLate, match="tests has begun its life"):
        ADDITIONS[method](assembly, tallies)
