"""What `app.py` composes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.assembly import Assembly, SubscribedTooLate
from chassis.delivery import RawRecord, RawSubscription
from chassis.rpc import create_key
from chassis.settings import DoorSettings, KafkaSettings, ListenSettings, MongoSettings, ServiceSettings
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
    with pytest.raises(SubscribedTooLate, match=REGISTRY.name):
        assembly.subscribe(RawSubscription(REGISTRY.name, Nobody()))
