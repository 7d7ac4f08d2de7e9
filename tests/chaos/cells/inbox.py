"""A record that unpacks to gigabytes on a partner's inbox topic of the real gateway, among the partner's events.

The toy has such a cell too; this one checks what the partner is told, and that nobody else is told.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
from aiokafka import AIOKafkaProducer
from chaos.cells.ground import Cell, Ground, Verdict
from chaos.harness.batches import bomb, send_batch
from chaos.harness.breaking import at_rest
from chaos.harness.processes import peak_bytes
from chaos.harness.shipment import Firms, Shipment, on_platform
from chaos.judging.invariants import Sent
from chaos.judging.platform import judged, kept

from chassis.testing import eventually
from contracts.topics import MAX_MESSAGE_BYTES, inbox
from gateway.domain.receipt import Kind, receipt_id
from launcher.services import PARTNERS
from trade_cli.enrolment import Partner, issue_keys
from trade_cli.partner_moves import event

(PARTNER,) = PARTNERS
BOMB_MEBIBYTES = 1024
GROWTH_BYTES = 128 * 1_048_576
"""The gateway's memory may grow by this much: several times the limit of one unpacked batch, an eighth of the bomb."""
SHIPMENTS = 6
ONE_KEY = b"all-in-one-partition"


async def gigabytes(ground: Ground) -> Sequence[Verdict]:
    """A gigabyte in a few kilobytes between good records of one partition: these count; it is quarantined with why."""
    async with on_platform(ground) as (platform, firms), _partner(firms, ground.name) as partner:
        shipments = [firms.shipment(number) for number in range(SHIPMENTS)]
        await asyncio.gather(*(each.lodge() for each in shipments))
        gateway = platform.parts["gateway"].pid
        assert gateway is not None
        rested = peak_bytes(gateway)
        before, behind = shipments[: SHIPMENTS // 2], shipments[SHIPMENTS // 2 :]
        receipts = [await partner.tell(each) for each in before]
        packed = bomb(BOMB_MEBIBYTES, ONE_KEY)
        assert len(packed) < MAX_MESSAGE_BYTES
        record = await partner.send_batch(packed)
        receipts += [await partner.tell(each) for each in behind]

        await asyncio.gather(*(partner.has_receipt(each) for each in receipts))
        (refused,) = await partner.quarantine()
        assert refused["id"] == record, f"{refused['id']} is in quarantine, the bomb is {record}"
        assert refused["problem"]["type"] == "urn:trade:problem:too-large", refused
        grown = peak_bytes(gateway) - rested
        assert grown < GROWTH_BYTES, f"the gateway took {grown} bytes more"

        await asyncio.gather(*(_to_its_end(each) for each in shipments))
        return kept(judged(await at_rest(platform), firms.sent))


@dataclass
class InboxPartner:
    """A partner that writes to its own topic and asks the gateway for the outcome."""

    firms: Firms
    producer: AIOKafkaProducer
    http: httpx2.AsyncClient

    async def tell(self, shipment: Shipment) -> str:
        """Report its arrival, with the same key as all others; return the id of the expected receipt."""
        said = {**event(shipment.ucr, "arrival", now=datetime.now(UTC)), "source": f"/{PARTNER}"}
        await self.producer.send_and_wait(inbox(PARTNER).name, json.dumps(said).encode(), key=ONE_KEY)
        receipt = receipt_id(Kind.EVENT, f"partner:{PARTNER}", said["source"], said["id"])
        self.firms.sent.append(Sent(f"{PARTNER} {said['id']}", True, receipt))
        return receipt

    async def send_batch(self, batch: bytes) -> str:
        """Put a batch on the topic unchanged; return the record's name in the quarantine."""
        topic, kafka = inbox(PARTNER).name, self.firms.told.kafka
        partition, offset = await send_batch(kafka, topic, ONE_KEY, batch)
        return f"{topic}/{partition}/{offset}"

    async def has_receipt(self, id_: str) -> None:
        """Wait until the gateway shows a receipt."""

        async def shown() -> bool:
            return (await self.http.get(f"/v1/receipts/{id_}")).status_code == httpx2.codes.OK

        await eventually(shown, within_seconds=30.0, every_seconds=0.2)

    async def quarantine(self) -> Sequence[Mapping[str, Any]]:
        """All of the partner's refused records."""
        answer = await self.http.get("/v1/quarantine")
        records: Sequence[Mapping[str, Any]] = answer.raise_for_status().json()["records"]
        return records


@asynccontextmanager
async def _partner(firms: Firms, label: str) -> AsyncIterator[InboxPartner]:
    keys = await issue_keys(firms.told, (), [Partner(PARTNER, "port", places=("CNTAO",))], label=label)
    headers = {"authorization": f"Bearer {keys[PARTNER]}"}
    url = firms.told.gateway_url
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as http:
        producer = AIOKafkaProducer(bootstrap_servers=firms.told.kafka, acks="all")
        await producer.start()
        try:
            yield InboxPartner(firms, producer, http)
        finally:
            await producer.stop()


async def _to_its_end(shipment: Shipment) -> None:
    """See every shipment through to its closing, after the arrival that the topic reported."""
    await shipment.assessed()
    await shipment.pay()
    await shipment.close()


CELLS = [Cell("services", "gigabytes on a partner's topic", gigabytes, own_servers=True, limit_seconds=400.0)]
