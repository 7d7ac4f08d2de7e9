"""The whole service on real Kafka and MongoDB, driven with `trade registry`."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from pydantic import SecretStr
from services.registry.tests.registry_builders import ALTYN, LEI, QINGDAO

from chassis.consuming.reader import Reader
from chassis.rpc import create_key
from chassis.service import Service
from chassis.settings import DoorSettings, KafkaSettings, ListenSettings, MongoSettings
from chassis.testing import eventually
from contracts.envelope import Envelope, parse
from contracts.registry.v1 import EnterpriseRegistered
from contracts.topics import REGISTRY
from launcher.infrastructure import Infrastructure
from launcher.ports import PortBlock
from registry.app import build
from registry.settings import RegistrySettings

TRADE = Path(sys.executable).with_name("trade")


@dataclass(frozen=True)
class Running:
    platform_file: Path
    bootstrap_servers: str

    async def trade(self, *arguments: str) -> tuple[int, str, str]:
        """Run `trade registry …`; returns exit status, stdout, stderr."""
        environment = {**os.environ, "TRADE_PLATFORM": str(self.platform_file), "TRADE_STAFF": "li", "LANG": "C"}
        process = await asyncio.create_subprocess_exec(
            TRADE, "registry", *arguments, env=environment, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def registered(self, *arguments: str) -> Any:
        status, out, err = await self.trade(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)


@pytest_asyncio.fixture
async def running(infrastructure: Infrastructure, event_topics: None, tmp_path: Path) -> AsyncIterator[Running]:
    for issuer in ("registry", "staff"):
        create_key(tmp_path / "keys", issuer)
    block = PortBlock()
    ports = block.choose(["grpc", "admin"], {})
    settings = RegistrySettings(
        environment="development",
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers),
        mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url), database=f"registry-{secrets.token_hex(4)}"),
        grpc=DoorSettings(port=ports["grpc"]),
        admin=ListenSettings(port=ports["admin"]),
        keys_dir=tmp_path / "keys",
    )
    block.release()
    address = {"pid": os.getpid(), "grpc": f"127.0.0.1:{ports['grpc']}"}
    file = tmp_path / "platform.json"
    file.write_text(
        json.dumps(
            {
                "name": "test",
                "kafka": infrastructure.bootstrap_servers,
                "mongo_url": infrastructure.mongo_url,
                "database": "any",
                "keys_dir": str(tmp_path / "keys"),
                "gateway_url": "",
                "tracking_url": "",
                "services": {"registry": address},
            }
        )
    )
    stopping = asyncio.Event()
    serving = asyncio.create_task(Service(build(settings)).run(stopping))
    yield Running(file, infrastructure.bootstrap_servers)
    stopping.set()
    await serving


async def _events(bootstrap_servers: str, key: str, wanted: int) -> list[tuple[Envelope, bytes]]:
    """The topic's events of one enterprise, once there are `wanted` of them."""
    consumer = Reader(REGISTRY.name, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    found: list[tuple[Envelope, bytes]] = []

    async def enough() -> bool:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                envelope = parse(record.headers)
                assert isinstance(envelope, Envelope)
                if record.key == key.encode():
                    found.append((envelope, record.value))
        return len(found) >= wanted

    try:
        await eventually(enough)
    finally:
        await consumer.stop()
    return found


async def test_staff_register_suspend_and_reinstate_and_the_events_are_published(running):
    number = f"GB-EORI:GB{secrets.randbelow(10**12):012d}"
    added = await running.registered(
        "add", number, "--role", "declarant", "--name", "Müller", "--email", "m@example.de"
    )
    assert (added["id"], added["status"], added["name"]) == (number, "active", "Müller")
    assert added["warnings"] == ["registry.identifier.foreign_warning"]
    assert await running.registered("show", number.lower()) == added
    suspended = await running.registered("suspend", number, "--reason", "sanctions", "--command-id", "stop-1")
    assert suspended["status"] == "suspended"
    assert await running.registered("suspend", number, "--reason", "sanctions", "--command-id", "stop-1") == suspended
    assert (await running.registered("reinstate", number, "--reason", "cleared"))["status"] == "active"
    events = await _events(running.bootstrap_servers, number, 3)
    assert [envelope.id for envelope, _ in events] == [f"{number}/0.{seq}" for seq in (1, 2, 3)]
    assert [envelope.type.split(".")[3] for envelope, _ in events] == ["registered", "suspended", "reinstated"]
    assert {envelope.actor for envelope, _ in events} == {"staff:li"}
    assert events[1][0].causationid == "stop-1"
    assert all("traceparent" in envelope.trace for envelope, _ in events)
    said = EnterpriseRegistered.model_validate_json(events[0][1])
    assert [str(each) for each in said.identifiers] == [number]
    assert not any("Müller" in data.decode() or "example.de" in data.decode() for _, data in events)


async def test_a_refusal_names_every_field_in_the_language_asked_for(running):
    status, out, err = await running.trade("add", "KZ-BIN:190540000015", "--number", "QQ-A1:1", "--lang", "ru")
    assert (status, out) == (1, "")
    assert "identifiers[0].value" in err
    assert "контрольная цифра" in err
    assert "identifiers[1].scheme" in err
    await running.registered("add", ALTYN, "--number", LEI)
    status, _, err = await running.trade("add", QINGDAO, "--number", LEI, "--json")
    refusal = json.loads(err)["error"]
    assert (status, refusal["reason"]) == (1, "NUMBER_TAKEN")
    assert refusal["violations"][0]["rule"] == "registry.number_taken"
    status, _, err = await running.trade("show", QINGDAO)
    assert (status, err.strip()) == (1, f"trade: the enterprise {QINGDAO} is not registered")
    for wrong in (("show", "nonsense"), ("add", QINGDAO, "--role", "king"), ("add", LEI)):
        status, out, err = await running.trade(*wrong)
        assert (status, out, err.count("\n")) == (1, "", 1), wrong
