"""The whole service on real Kafka, MongoDB, SMTP and gRPC."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr
from services.notifications.tests.notification_builders import released
from services.notifications.tests.receiving_mail import Inboxes

from chassis.assembly import Assembly
from chassis.delivery.records import Event
from chassis.recovery.rereading import read_topics
from chassis.rpc import GrpcServer, Right
from chassis.rpc.identity import TokenVerifier, create_key
from chassis.service import Service
from chassis.settings import DoorSettings, KafkaSettings, ListenSettings, MongoSettings
from chassis.telemetry import UCR
from chassis.testing import eventually
from contracts.topics import DECLARATIONS, NOTIFICATIONS
from launcher.infrastructure import Infrastructure
from launcher.ports import PortBlock
from notifications.app import build
from notifications.domain.notice import Notice, Status
from notifications.notices import NOTICE
from notifications.settings import MailSettings, NotificationsSettings, SmtpSettings
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceServicer, add_RegistryServiceServicer_to_server

LANGUAGE_OF = {"CN-USCC": "zh", "RU-INN": "ru", "KZ-BIN": "en"}
TRACE = secrets.token_hex(16)


class StubRegistry(RegistryServiceServicer):
    """Knows every enterprise; its language is that of the scheme's country."""

    async def ListContacts(self, request: pb.ListContactsRequest, context: Any) -> pb.ListContactsResponse:  # noqa: N802 - the proto's name
        return pb.ListContactsResponse(
            answers=[
                pb.ContactAnswer(
                    enterprise_id=f"{each.scheme}:{each.value}",
                    contact=pb.Contact(email=f"{each.scheme.lower()}@firm.example", language=LANGUAGE_OF[each.scheme]),
                )
                for each in request.identifiers
            ]
        )


@pytest.fixture
def ports() -> Iterator[Mapping[str, int]]:
    """Reserved ports on which nothing listens before the test does; an ephemeral port could be taken by then."""
    block = PortBlock()
    yield block.choose(["registry", "no mail server"], {})
    block.release()


@pytest.fixture
async def settings(
    infrastructure: Infrastructure, event_topics: None, inboxes: Inboxes, ports: Mapping[str, int], tmp_path: Path
) -> NotificationsSettings:
    for issuer in ("notifications", "registry"):
        create_key(tmp_path, issuer)
    return NotificationsSettings(
        environment="development",
        instance="one",
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=3000),
        mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url), database=f"n{secrets.token_hex(4)}"),
        grpc=DoorSettings(port=0),
        admin=ListenSettings(port=0),
        keys_dir=tmp_path,
        peers={"registry": f"127.0.0.1:{ports['registry']}"},
        smtp=SmtpSettings(host="127.0.0.1", port=inboxes.port, sender="notices@platform.example"),
        # attempt_seconds keeps its long default: an attempt cut short on a busy machine would be repeated.
        mail=MailSettings(first_retry_seconds=0.5),
    )


@asynccontextmanager
async def registry(settings: NotificationsSettings) -> AsyncIterator[None]:
    rights = {"/trade.registry.v1.RegistryService/ListContacts": Right(services=("notifications",))}
    listen = DoorSettings(port=int(settings.peers["registry"].rpartition(":")[2]))
    server = GrpcServer(listen, TokenVerifier(settings.keys_dir), audience="registry", rights=rights)
    stub = StubRegistry()  # type: ignore[abstract]  # only one method is called
    server.register(lambda raw: add_RegistryServiceServicer_to_server(stub, raw))
    await server.start()
    try:
        yield
    finally:
        await server.stop(0.1)


@asynccontextmanager
async def running(settings: NotificationsSettings) -> AsyncIterator[Assembly]:
    stopping = asyncio.Event()
    assembly = build(settings)
    life = asyncio.create_task(Service(assembly).run(stopping))
    try:
        yield assembly
    finally:
        stopping.set()
        await asyncio.wait_for(life, 30)


async def publish(infrastructure: Infrastructure, events: Sequence[Event]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=infrastructure.bootstrap_servers, acks="all")
    await producer.start()
    try:
        for event in events:
            await producer.send_and_wait(
                DECLARATIONS.name, event.raw, key=event.record.key, headers=event.envelope.headers()
            )
    finally:
        await producer.stop()


async def published(infrastructure: Infrastructure, ucr: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """The notice events of a shipment: (headers, payload) in order."""
    settings = KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers)
    return [
        ({name: (value or b"").decode() for name, value in each.headers}, json.loads(each.value or b""))
        async for records in read_topics(settings, [NOTIFICATIONS.name])
        for each in records
        if each.key == ucr.encode()
    ]


def release_of(ucr: str) -> Event:
    return released(
        event_id=f"D-{secrets.token_hex(4)}/0.7",
        ucr=ucr,
        declaration_number="422020261000000011",
        released_at="2026-01-05T08:00:00Z",
        trace={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "baggage": f"trade.ucr={ucr}"},
    )


async def notices_of(assembly: Assembly, ucr: str) -> list[Notice]:
    documents = await assembly.db[NOTICE.collection].find({"state.intent.ucr": ucr}).to_list()
    return [NOTICE.codec.decode(document["state"]) for document in documents]


async def test_a_release_notifies_every_party_once_in_its_language(
    infrastructure: Infrastructure, settings: NotificationsSettings, inboxes: Inboxes
) -> None:
    ucr = f"U{secrets.token_hex(6)}"
    event = release_of(ucr)
    async with running(settings) as service:
        await publish(infrastructure, [event, event])

        async def waiting() -> bool:
            return len(await notices_of(service, ucr)) == 6

        await eventually(waiting)
        assert {notice.status for notice in await notices_of(service, ucr)} == {Status.WAITING}, "registry is away"
        async with registry(settings):

            async def all_sent() -> bool:
                return {notice.status for notice in await notices_of(service, ucr)} == {Status.SENT}

            await eventually(all_sent, within_seconds=40)

    async with registry(settings), running(settings) as service:  # again, after a restart
        await publish(infrastructure, [event, release_of(ucr)])

        async def next_sent() -> bool:
            notices = await notices_of(service, ucr)
            return len(notices) == 12 and {notice.status for notice in notices} == {Status.SENT}

        await eventually(next_sent, within_seconds=40)

    # Other tests use the same topics with other shipments.
    mails = [message for message in inboxes.taken if ucr in message["Subject"]]
    assert {message["Content-Language"] for message in mails} == {"zh", "ru", "en"}
    assert len(mails) == len({message["Message-ID"] for message in mails}) == 6
    events = await published(infrastructure, ucr)
    by_notice: dict[str, list[str]] = {}
    for headers, payload in events:
        by_notice.setdefault(payload["notice_id"], []).append(headers["ce_type"].split(".")[3])
    assert sorted(by_notice.values()) == sorted(
        # Registry was away at the first release, and there at the second.
        [["created", "addressed", "sent"]] * 3
        + [["created", "addressed", "attempt_started", "sent"]] * 3
        + [["created", "sent"]] * 3
        + [["created", "attempt_started", "sent"]] * 3
    )
    causes = [headers["ce_causationid"] for headers, _ in events if ".created." in headers["ce_type"]]
    assert causes.count(event.envelope.id) == 6


async def test_a_dead_mail_server_delays_only_mail_which_is_sent_when_it_is_back(
    infrastructure: Infrastructure, settings: NotificationsSettings, ports: Mapping[str, int]
) -> None:
    ucr = f"U{secrets.token_hex(6)}"
    nowhere = settings.smtp.model_copy(update={"port": ports["no mail server"]})
    dead = settings.model_copy(update={"smtp": nowhere})
    async with registry(settings):
        async with running(dead) as service:
            await publish(infrastructure, [release_of(ucr)])

            async def inboxes_full() -> bool:
                notices = await notices_of(service, ucr)
                failed = [each for each in notices if each.reason is not None]
                return sum(each.status is Status.SENT for each in notices) == 3 and len(failed) == 3

            await eventually(inboxes_full)
        async with running(settings) as service:

            async def all_sent() -> bool:
                return {notice.status for notice in await notices_of(service, ucr)} == {Status.SENT}

            await eventually(all_sent, within_seconds=40)


async def test_the_notice_is_linked_to_the_trace_of_its_cause(
    infrastructure: Infrastructure, settings: NotificationsSettings
) -> None:
    ucr = f"U{secrets.token_hex(6)}"
    async with registry(settings), running(settings) as service:
        exporter = InMemorySpanExporter()

        async def provider() -> TracerProvider | None:
            """The service's tracer provider, once it has started."""
            found = trace.get_tracer_provider()
            return found if isinstance(found, TracerProvider) else None

        tracing = await eventually(provider)
        assert tracing is not None
        tracing.add_span_processor(SimpleSpanProcessor(exporter))
        await publish(infrastructure, [release_of(ucr)])

        async def all_sent() -> bool:
            notices = await notices_of(service, ucr)
            return len(notices) == 6 and {notice.status for notice in notices} == {Status.SENT}

        await eventually(all_sent)
    finished = exporter.get_finished_spans()
    spans = {context.span_id: span for span in finished if (context := span.get_span_context())}
    sent = [headers for headers, _ in await published(infrastructure, ucr) if headers["ce_type"].endswith("sent.v1")]
    assert len(sent) == 6
    for headers in sent:
        assert TRACE in ways_back(spans, headers["traceparent"])
        assert f"trade.ucr={ucr}" in headers["baggage"]
    named = {UCR: ucr}.items()
    mailed = [span for span in spans.values() if span.name == "send mail" and named <= (span.attributes or {}).items()]
    assert len(mailed) == 3


def ways_back(spans: Mapping[int, ReadableSpan], traceparent: str) -> set[str]:
    """Every trace id reachable from a span by parent and link."""
    waiting, seen, traces = [int(traceparent.split("-")[2], 16)], set(), {traceparent.split("-")[1]}
    while waiting:
        id_ = waiting.pop()
        if id_ in seen or id_ not in spans:
            continue
        seen.add(id_)
        found = [each for each in (spans[id_].parent, *(link.context for link in spans[id_].links)) if each is not None]
        traces |= {format(each.trace_id, "032x") for each in found}
        waiting += [each.span_id for each in found]
    return traces
