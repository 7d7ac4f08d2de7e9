"""The whole service on real Kafka, MongoDB and gRPC: a shipment, a lost database, a rebuild."""

import asyncio
import itertools
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import grpc
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr, TypeAdapter
from services.declarations.tests.declaration_builders import LAW, NOW, QINGDAO, TOTAL, a_declaration, a_report, an_item

from chassis.recovery.rereading import read_topics
from chassis.rpc import GrpcServer, Right, connect, reason_of
from chassis.rpc.identity import TokenSigner, TokenVerifier, create_key
from chassis.service import Service
from chassis.settings import DoorSettings, KafkaSettings, ListenSettings, MongoSettings
from chassis.testing import eventually
from contracts.envelope import Envelope, parse
from contracts.topics import DECLARATIONS, GATEWAY, PARTNERS
from declarations.app import SUBMITTED, build
from declarations.domain.assessment import risk
from declarations.domain.declaration import Declaration
from declarations.settings import DeclarationsSettings
from launcher.ports import PortBlock
from trade.declarations.v1 import declarations_pb2 as pb
from trade.declarations.v1.declarations_pb2_grpc import DeclarationServiceStub
from trade.registry.v1 import registry_pb2
from trade.registry.v1.registry_pb2_grpc import RegistryServiceServicer, add_RegistryServiceServicer_to_server
from values.payments import payment_reference
from values.references import Lrn, declaration_id

TO_JSON = TypeAdapter(Declaration)


class StubRegistry(RegistryServiceServicer):
    """Answers that all parties may act, except one."""

    async def CheckParties(self, request, context):  # noqa: N802 - the proto's name
        return registry_pb2.CheckPartiesResponse(
            answers=[
                registry_pb2.PartyAnswer(
                    standing=registry_pb2.PARTY_STANDING_SUSPENDED
                    if each.identifier.value == "SUSPENDED"
                    else registry_pb2.PARTY_STANDING_MAY_ACT
                )
                for each in request.parties
            ]
        )


@pytest.fixture
def ports():
    """Reserved ports on which nothing listens before the test does; an ephemeral port could be taken by then."""
    block = PortBlock()
    yield block.choose(["grpc", "registry"], {})
    block.release()


@pytest.fixture
async def settings(infrastructure, event_topics, ports, tmp_path):
    for issuer in ("declarations", "registry", "tracking"):
        create_key(tmp_path, issuer)
    return DeclarationsSettings(
        environment="development",
        instance="one",
        kafka=KafkaSettings(bootstrap_servers=infrastructure.bootstrap_servers, session_timeout_ms=3000),
        mongo=MongoSettings(url=SecretStr(infrastructure.mongo_url), database=f"d{secrets.token_hex(4)}"),
        grpc=DoorSettings(port=ports["grpc"]),
        admin=ListenSettings(port=0),
        keys_dir=tmp_path,
        peers={"registry": f"127.0.0.1:{ports['registry']}"},
        payment_seconds=600,
    )


@asynccontextmanager
async def registry(settings):
    rights = {"/trade.registry.v1.RegistryService/CheckParties": Right(services=("declarations",))}
    listen = DoorSettings(port=int(settings.peers["registry"].rpartition(":")[2]))
    server = GrpcServer(listen, TokenVerifier(settings.keys_dir), audience="registry", rights=rights)
    server.register(lambda raw: add_RegistryServiceServicer_to_server(StubRegistry(), raw))  # type: ignore[abstract]
    await server.start()
    try:
        yield
    finally:
        await server.stop(0.1)


@asynccontextmanager
async def running(settings):
    stopping = asyncio.Event()
    life = asyncio.create_task(Service(build(settings)).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(life, 30)


@asynccontextmanager
async def door(settings):
    channel = connect(f"127.0.0.1:{settings.grpc.port}", TokenSigner(settings.keys_dir, "tracking"), "declarations")
    try:
        yield DeclarationServiceStub(channel)
    finally:
        await channel.close()


def _unselected(start):
    """A local reference that random selection does not pick, so that the declaration is green."""
    share = Decimal(LAW.risk.random.parameters["share"][0])
    references = (f"{start}{number or ''}" for number in itertools.count())
    return next(each for each in references if risk.fraction(risk.seed(declaration_id(QINGDAO, Lrn(each)))) >= share)


class Shipment:
    """A separate shipment and the records sent about it."""

    def __init__(self, infrastructure):
        self._servers = infrastructure.bootstrap_servers
        self.ucr = f"6CN{secrets.token_hex(6).upper()}"
        self.lrn = _unselected(f"L-{self.ucr}")
        self.id = declaration_id(QINGDAO, Lrn(self.lrn))

    async def send(self, topic, head, data):
        producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(topic.name, data, key=self.ucr.encode(), headers=head.headers())
        finally:
            await producer.stop()

    async def lodge(self, receipt="R-1", **changes):
        declaration = a_declaration(ucr=self.ucr, lrn=self.lrn, **changes)
        data = (
            b'{"receipt_id": "%s", "received_at": "%s", "function": "original",'
            b' "firm": {"scheme": "CN-USCC", "value": "%s"}, "declaration": %s}'
        ) % (receipt.encode(), NOW.isoformat().encode(), QINGDAO.value.encode(), TO_JSON.dump_json(declaration))
        id_ = f"{receipt}-{self.ucr}/0.1"
        firm = f"firm:{QINGDAO}"
        head = Envelope(id_, "/trade/gateway", SUBMITTED, NOW, receipt, 1, self.ucr, "post", firm)
        await self.send(GATEWAY, head, data)

    async def report(self, kind, id_, **fields):
        event = a_report(kind, f"{id_}-{self.ucr}", **{"references": {"ucr": self.ucr}, **fields})
        await self.send(PARTNERS, event.envelope, event.raw)

    async def pay(self, amount=TOTAL, **fields):
        await self.report("payment.confirmed", "pay", **self.money(amount), **fields)

    def money(self, amount):
        """References and amount of a payment for the assessment of its first version."""
        references = {"ucr": self.ucr, "payment_reference": payment_reference(self.id, 1)}
        money = {"amount": amount, "currency": "CNY"}
        return {"amount": money, "payment_reference": "1", "references": references}

    async def published(self):
        """The facts on the topic about this shipment, in order: (fact, cause)."""
        settings = KafkaSettings(bootstrap_servers=self._servers)
        heads = [
            parse(record.headers) async for records in read_topics(settings, [DECLARATIONS.name]) for record in records
        ]
        return [
            (head.type.split(".")[3], head.causationid)
            for head in heads
            if isinstance(head, Envelope) and head.subject == self.id
        ]


async def reaches(settings, shipment, status, within_seconds=40.0):
    """Wait until the declaration is in a status, and return it."""
    wanted = pb.DeclarationStatus.Value(f"DECLARATION_STATUS_{status}")
    async with door(settings) as service:

        async def there():
            try:
                answer = await service.GetDeclaration(pb.GetDeclarationRequest(declaration_id=shipment.id))
            except grpc.aio.AioRpcError as error:
                assert error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE), error
                return None
            assert answer.declaration.status == wanted, pb.DeclarationStatus.Name(answer.declaration.status)
            return answer.declaration

        return await eventually(there, within_seconds=within_seconds)


async def states(settings, infrastructure):
    """Every stored state, with the causes in its history."""
    assembly = build(settings)
    documents = await assembly.db["declarations"].find().to_list()
    await assembly.mongo.close()
    return {
        each["_id"]: (each["state"], each["seq"], {line["cause"] for line in each["history"] if line["events"]})
        for each in documents
    }


async def test_a_shipment_closes_and_a_lost_database_is_rebuilt_from_the_topic(infrastructure, settings):
    shipment, rejected = Shipment(infrastructure), Shipment(infrastructure)
    async with running(settings):
        await shipment.report("shipment.arrived", "early")
        await shipment.lodge()
        await rejected.lodge(goods=(an_item(commodity_code="1"),))
        waiting = await reaches(settings, shipment, "SUBMITTED")
        assert waiting.number == "", "registry is away"
        errors = (await reaches(settings, rejected, "REJECTED")).errors
        assert [each.pointer for each in errors] == ["/goods/0/commodity_code"]
        async with registry(settings):
            assessed = await reaches(settings, shipment, "ASSESSED")
            assert assessed.due.amount == TOTAL
            await shipment.report("shipment.gate_in", "in")
            await shipment.pay()
            await reaches(settings, shipment, "RELEASED")
            await shipment.report("shipment.gate_out", "out", at=datetime.now(UTC))
            closed = await reaches(settings, shipment, "CLOSED")
            assert len(closed.number) == 18
    facts = [fact for fact, _ in await shipment.published() if fact != "partner_event_noted"]
    assert facts == [
        "submitted", "prelodged", "accepted", "routed", "assessed", "presented", "payment_recorded", "released",
        "removed", "closed",
    ]  # fmt: skip

    before = await states(settings, infrastructure)
    empty = MongoSettings(url=settings.mongo.url, database=f"d{secrets.token_hex(4)}")
    lost = settings.model_copy(update={"mongo": empty})
    await Service(build(lost)).rebuild()
    assert {id_: (await states(lost, infrastructure))[id_] for id_ in before} == before
    async with registry(lost), running(lost):
        again = await reaches(lost, shipment, "CLOSED")
        assert again.number == closed.number
        await shipment.report("payment.reversed", "back", **shipment.money("1"))

        async def a_case():
            return (await reaches(lost, shipment, "CLOSED")).cases == ["payment_reversed"]

        await eventually(a_case)
    assert [fact for fact, _ in await shipment.published()].count("released") == 1


async def test_a_payment_that_names_only_the_ucr_is_allocated_once_and_its_account_is_rebuilt(infrastructure, settings):
    first = Shipment(infrastructure)
    second = Shipment(infrastructure)
    second.ucr = first.ucr
    async with running(settings), registry(settings):
        money = {"amount": {"amount": "2000.00", "currency": "CNY"}, "payment_reference": "B-1"}
        await first.report("payment.confirmed", "by-ucr", **money, publisher="bank-qd")
        for shipment in (first, second):
            await shipment.lodge(f"R-{shipment.lrn}")
            await reaches(settings, shipment, "PRELODGED")
        await first.report("shipment.arrived", "there")
        await first.report("shipment.gate_in", "in")

        await eventually(lambda: paid_under(settings, first.ucr, TOTAL, "700.00"), within_seconds=60)
    before = await accounts(settings)
    empty = MongoSettings(url=settings.mongo.url, database=f"d{secrets.token_hex(4)}")
    lost = settings.model_copy(update={"mongo": empty})
    await Service(build(lost)).rebuild()
    assert {id_: each for id_, each in (await accounts(lost)).items() if id_ in before} == before
    async with registry(lost), running(lost):
        money = {"amount": {"amount": "600.00", "currency": "CNY"}, "payment_reference": "B-2"}
        await first.report("payment.confirmed", "rest", **money, publisher="bank-qd")
        await eventually(lambda: paid_under(lost, first.ucr, TOTAL, TOTAL), within_seconds=60)
    for shipment in (first, second):
        assert [fact for fact, _ in await shipment.published()].count("released") == 1


async def paid_under(settings, ucr, *amounts):
    """Whether the declarations of a UCR count these amounts as paid, in any order."""
    async with door(settings) as service:
        try:
            answer = await service.ListDeclarations(pb.ListDeclarationsRequest(ucrs=[ucr]))
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            return False
    found = sorted(each.paid.amount for each in answer.declarations)
    assert found == sorted(amounts), found
    return True


async def accounts(settings):
    """Every stored state of an account."""
    assembly = build(settings)
    documents = await assembly.db["settlements"].find().to_list()
    await assembly.mongo.close()
    return {each["_id"]: (each["state"], each["seq"]) for each in documents}


async def test_the_payment_deadline_fires_once_and_a_late_payment_still_releases(infrastructure, settings):
    shipment, settings = Shipment(infrastructure), settings.model_copy(update={"payment_seconds": 2})
    async with registry(settings), running(settings):
        await shipment.lodge()
        await shipment.report("shipment.arrived", "a")
        await shipment.report("shipment.gate_in", "in")

        async def overdue():
            return (await reaches(settings, shipment, "ASSESSED")).overdue

        await eventually(overdue)
        late = (await reaches(settings, shipment, "ASSESSED")).pay_by.ToDatetime(NOW.tzinfo) + timedelta(days=1)
        await shipment.pay(at=late)
        await reaches(settings, shipment, "RELEASED")
    facts = [fact for fact, _ in await shipment.published()]
    assert (facts.count("payment_overdue"), facts.count("payment_overdue_withdrawn")) == (1, 0)
    causes = dict(await shipment.published())
    assert causes["payment_overdue"].startswith(f"{shipment.id}/payment/")


async def test_grpc_finds_declarations_by_number_and_ucr_and_lists_unmatched_events(infrastructure, settings):
    shipment, stray = Shipment(infrastructure), Shipment(infrastructure)
    async with registry(settings), running(settings), door(settings) as service:
        await shipment.lodge()
        await shipment.report("shipment.arrived", "a")
        await stray.report("shipment.arrived", "a")
        number = (await reaches(settings, shipment, "ASSESSED")).number
        by_number = await service.GetDeclaration(pb.GetDeclarationRequest(declaration_number=number))
        assert by_number.declaration.id == shipment.id
        by_ucr = await service.ListDeclarations(pb.ListDeclarationsRequest(ucrs=[shipment.ucr, stray.ucr]))
        assert [each.id for each in by_ucr.declarations] == [shipment.id]

        async def listed():
            found: list[str] = []
            token = ""
            while True:
                page = await service.ListUnmatchedEvents(pb.ListUnmatchedEventsRequest(page_size=1, page_token=token))
                found, token = [*found, *(each.ucr for each in page.events)], page.next_page_token
                if not token:
                    return stray.ucr in found and shipment.ucr not in found

        await eventually(listed)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await service.GetDeclaration(pb.GetDeclarationRequest(declaration_id="D-none"))
        assert reason_of(refused.value) == "DECLARATION_UNKNOWN"
        for wrong in ({"page_token": "%%"}, {"page_size": -1}):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await service.ListUnmatchedEvents(pb.ListUnmatchedEventsRequest(**wrong))
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_suspended_importer_is_refused_by_name(infrastructure, settings):
    shipment = Shipment(infrastructure)
    parties = [*a_declaration().parties]
    parties[1] = type(parties[1])(parties[1].role, type(QINGDAO)("CN-USCC", "SUSPENDED"))
    async with registry(settings), running(settings):
        await shipment.lodge(parties=tuple(parties))
        (error,) = (await reaches(settings, shipment, "REJECTED")).errors
    assert (error.code, error.pointer) == ("declaration.party.suspended", "/parties/1/identifier")
