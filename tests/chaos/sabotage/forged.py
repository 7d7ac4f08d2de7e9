"""Events as the gateway and declarations would have published them, where neither of them runs."""

from datetime import UTC, datetime
from decimal import Decimal

from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope
from contracts.gateway.v1 import (
    Declaration,
    DeclarationFunction,
    DeclarationSubmitted,
    GoodsItem,
    Project,
    ProjectSubmitted,
)
from contracts.topics import GATEWAY
from contracts.values import Direction, Identifier, Money, Party, PartyRole, Payload
from launcher.infrastructure import Infrastructure
from trade_cli.demo_facts import facts

DECLARANT = Identifier(scheme="CN-USCC", value="91370200MA3F1XK27C")


async def lodge(servers: Infrastructure) -> None:
    """One declaration as the gateway would have published it."""
    payload = DeclarationSubmitted(
        receipt_id="R-1",
        received_at=datetime.now(UTC),
        firm=DECLARANT,
        function=DeclarationFunction.ORIGINAL,
        declaration=Declaration(
            lrn="LRN-1",
            ucr="6CN91370200MA3F1XK27C-1",
            direction=Direction.IMPORT,
            currency="CNY",
            incoterm="CIF",
            parties=tuple(Party(role=role, identifier=DECLARANT) for role in (PartyRole.DECLARANT, PartyRole.IMPORTER)),
            goods=(GoodsItem(number=1, commodity_code="520100", price=Money(amount=Decimal(1000), currency="CNY")),),
        ),
    )
    await _submit(servers, "declaration", payload.declaration.ucr, payload)


async def seek_capital(servers: Infrastructure) -> None:
    """One project as the gateway would have published it."""
    payload = ProjectSubmitted(
        receipt_id="R-1",
        received_at=datetime.now(UTC),
        firm=DECLARANT,
        project=Project.model_validate(dict(facts().project.terms)),
    )
    await _submit(servers, "project", payload.receipt_id, payload)


async def _submit(servers: Infrastructure, kind: str, key: str, payload: Payload) -> None:
    envelope = Envelope(
        id="R-1/0.1",
        source="/trade/gateway",
        type=f"trade.gateway.{kind}.submitted.v1",
        time=datetime.now(UTC),
        subject="R-1",
        sequence=1,
        partitionkey=key,
        causationid="test",
        actor="firm:test",
    )
    await publish(servers, GATEWAY.name, envelope, payload.model_dump_json().encode())


async def publish(servers: Infrastructure, topic: str, envelope: Envelope, data: bytes) -> None:
    """Put an event on its topic, under its own key."""
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all") as producer:
        key = envelope.partitionkey.encode()
        await producer.send_and_wait(topic, data, key=key, headers=envelope.headers())
