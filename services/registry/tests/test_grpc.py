"""Registry over a gRPC server in this process: rights, statuses, languages, batches."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import pytest_asyncio
from services.registry.tests.registry_builders import ALTYN, LEI, QINGDAO, TAUGE, World

from chassis.rpc import GrpcServer, TokenSigner, TokenVerifier, connect, create_key, reason_of, violations_of
from chassis.settings import DoorSettings
from registry.app import RIGHTS
from registry.grpc_server import MAX_BATCH, RegistryServer
from trade.registry.v1 import registry_pb2 as pb
from trade.registry.v1.registry_pb2_grpc import RegistryServiceStub
from trade.registry.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server as add_to_server


@dataclass
class Doors:
    """A running registry and the stubs of its callers."""

    world: World
    staff: Any
    reader: Any
    declarations: Any
    notifications: Any
    overloaded: bool


@pytest_asyncio.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    for issuer in ("staff", "declarations", "notifications"):
        create_key(tmp_path, issuer)
    world = World()
    running: list[Doors] = []
    server = GrpcServer(
        DoorSettings(port=0),
        TokenVerifier(tmp_path),
        audience="registry",
        rights=RIGHTS,
        overloaded=lambda: running[0].overloaded,
    )
    registry = RegistryServer(world.ports())
    server.register(lambda raw: add_to_server(registry, raw))
    await server.start()

    def channel(issuer: str, **named: object) -> grpc.aio.Channel:
        return connect(f"127.0.0.1:{server.port}", TokenSigner(tmp_path, issuer), "registry", **named)  # type: ignore[arg-type]

    channels = [
        channel("staff", subject="li", rights=("registry.read", "registry.write")),
        channel("staff", subject="petrov", rights=("registry.read",)),
        channel("declarations"),
        channel("notifications"),
    ]
    staff, reader, declarations, notifications = (RegistryServiceStub(each) for each in channels)
    running.append(Doors(world, staff, reader, declarations, notifications, overloaded=False))
    yield running[0]
    for each in channels:
        await each.close()
    await server.stop(1)


def identifier(written: str) -> pb.Identifier:
    scheme, _, value = written.partition(":")
    return pb.Identifier(scheme=scheme, value=value)


def a_registration(*numbers: str, command_id: str = "c-1") -> pb.RegisterEnterpriseRequest:
    return pb.RegisterEnterpriseRequest(
        command_id=command_id,
        country=(numbers or (ALTYN,))[0][:2].replace("LE", "KZ"),
        identifiers=[identifier(number) for number in numbers or (ALTYN,)],
        roles=[pb.ENTERPRISE_ROLE_DECLARANT, pb.ENTERPRISE_ROLE_IMPORTER],
        name="Алтын",
        contact=pb.Contact(email="a@altyn.kz", language="ru"),
    )


async def test_an_enterprise_goes_through_its_life(doors):
    registered = (await doors.staff.RegisterEnterprise(a_registration(ALTYN, LEI))).enterprise
    assert (registered.id, registered.name, registered.contact.email) == (ALTYN, "Алтын", "a@altyn.kz")
    assert registered.status == pb.ENTERPRISE_STATUS_ACTIVE
    shown = (await doors.reader.GetEnterprise(pb.GetEnterpriseRequest(identifier=identifier(LEI)))).enterprise
    assert shown == registered
    order = pb.SuspendEnterpriseRequest(command_id="c-2", enterprise_id=LEI, reason="sanctions")
    assert (await doors.staff.SuspendEnterprise(order)).enterprise.status == pb.ENTERPRISE_STATUS_SUSPENDED
    change = pb.ChangeEnterpriseRequest(
        command_id="c-3", enterprise_id=ALTYN, identifiers=[identifier(ALTYN)], roles=[pb.ENTERPRISE_ROLE_AGENT]
    )
    assert (await doors.staff.ChangeEnterprise(change)).enterprise.roles == [pb.ENTERPRISE_ROLE_AGENT]
    back = pb.ReinstateEnterpriseRequest(command_id="c-4", enterprise_id=ALTYN, reason="cleared")
    assert (await doors.staff.ReinstateEnterprise(back)).enterprise.status == pb.ENTERPRISE_STATUS_ACTIVE
    assert [entry["by"] for entry in doors.world.outbox.published] == ["staff:li"] * 4
    assert doors.world.outbox.types() == [
        f"trade.registry.enterprise.{fact}.v1" for fact in ("registered", "suspended", "changed", "reinstated")
    ]


async def test_a_value_of_ten_thousand_letters_is_refused_and_quoted_shortened(doors):
    for long in (a_registration(f"RU-INN:{'Ж' * 10_000}"), a_registration(command_id="Ж" * 10_000)):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await doors.staff.RegisterEnterprise(long)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason_of(refused.value) == "INVALID_REQUEST"
        assert max(len(rule) for _, rule in violations_of(refused.value)) < 500
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await doors.reader.GetEnterprise(pb.GetEnterpriseRequest(identifier=identifier(f"RU-INN:{'Ж' * 10_000}")))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_blanks_around_a_command_id_do_not_make_another_command(doors):
    first = await doors.staff.RegisterEnterprise(a_registration(command_id="c 1"))
    assert await doors.staff.RegisterEnterprise(a_registration(command_id=" c  1 ")) == first
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await doors.staff.RegisterEnterprise(a_registration(QINGDAO, command_id="c 1 "))
    assert reason_of(refused.value) == "COMMAND_CONFLICT"
    with pytest.raises(grpc.aio.AioRpcError) as unseen:
        await doors.staff.RegisterEnterprise(a_registration(QINGDAO, command_id="c 1\ufe0f"))
    assert reason_of(unseen.value) == "INVALID_REQUEST"


async def test_twenty_calls_for_one_number_at_once_end_in_one_enterprise_and_nineteen_refusals(doors):
    calls = (doors.staff.RegisterEnterprise(a_registration(command_id=f"c-{index}")) for index in range(20))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    codes = Counter(each.code().name if isinstance(each, grpc.aio.AioRpcError) else "OK" for each in answers)
    assert codes == {"OK": 1, "ALREADY_EXISTS": 19}


async def test_peers_get_answers_for_many_parties_in_the_order_asked(doors):
    await doors.staff.RegisterEnterprise(a_registration(ALTYN, LEI))
    await doors.staff.RegisterEnterprise(a_registration(QINGDAO, command_id="c-2"))
    order = pb.SuspendEnterpriseRequest(command_id="c-3", enterprise_id=QINGDAO, reason="sanctions")
    await doors.staff.SuspendEnterprise(order)
    asked = [
        (TAUGE, pb.ENTERPRISE_ROLE_DECLARANT),
        (LEI, pb.ENTERPRISE_ROLE_DECLARANT),
        (ALTYN, pb.ENTERPRISE_ROLE_CARRIER),
        (QINGDAO, pb.ENTERPRISE_ROLE_UNSPECIFIED),
        (ALTYN, pb.ENTERPRISE_ROLE_UNSPECIFIED),
        (ALTYN, 99),  # a role that only a newer release knows
    ]
    parties = [pb.PartyToCheck(identifier=identifier(number), role=cast(Any, role)) for number, role in asked]
    answers = (await doors.declarations.CheckParties(pb.CheckPartiesRequest(parties=parties))).answers
    assert [(each.standing, each.enterprise_id) for each in answers] == [
        (pb.PARTY_STANDING_UNKNOWN, ""),
        (pb.PARTY_STANDING_MAY_ACT, ALTYN),
        (pb.PARTY_STANDING_ROLE_MISSING, ALTYN),
        (pb.PARTY_STANDING_SUSPENDED, QINGDAO),
        (pb.PARTY_STANDING_MAY_ACT, ALTYN),
        (pb.PARTY_STANDING_ROLE_MISSING, ALTYN),
    ]
    request = pb.ListContactsRequest(identifiers=[identifier(number) for number in (TAUGE, LEI)])
    contacts = (await doors.notifications.ListContacts(request)).answers
    assert [(each.enterprise_id, each.contact.email) for each in contacts] == [("", ""), (ALTYN, "a@altyn.kz")]


async def test_each_caller_may_call_only_its_own_methods(doors):
    refused = [
        doors.reader.RegisterEnterprise(a_registration()),
        doors.declarations.RegisterEnterprise(a_registration()),
        doors.declarations.ListContacts(pb.ListContactsRequest()),
        doors.notifications.CheckParties(pb.CheckPartiesRequest()),
        doors.declarations.GetEnterprise(pb.GetEnterpriseRequest()),
        doors.reader.SuspendEnterprise(pb.SuspendEnterpriseRequest()),
    ]
    for call in refused:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(("language", "words"), [("zh", "校验位"), ("ru", "контрольная цифра"), ("tg", "check digit")])
async def test_every_fault_names_its_field_value_and_rule_in_the_callers_language(doors, language, words):
    request = a_registration("KZ-BIN:190540000015", "QQ-A1:7")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await doors.staff.RegisterEnterprise(request, metadata=(("accept-language", language),))
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error.value) == "INVALID_REQUEST"
    (first_field, first), (second_field, second) = violations_of(error.value)
    assert (first_field, second_field) == ("identifiers[0].value", "identifiers[1].scheme")
    assert first.startswith("registry.identifier.check_digit: ")
    assert words in first
    assert "190540000015" in first
    assert second.startswith("registry.identifier.scheme_country: ")


async def test_refusals_have_a_code_and_a_stable_reason(doors):
    await doors.staff.RegisterEnterprise(a_registration(ALTYN, LEI))
    suspend = pb.SuspendEnterpriseRequest(command_id="c-9", enterprise_id=TAUGE, reason="sanctions")
    reinstate = pb.ReinstateEnterpriseRequest(command_id="c-8", enterprise_id=ALTYN, reason="cleared")
    code = grpc.StatusCode
    expected = [
        (
            doors.staff.RegisterEnterprise(a_registration(TAUGE, LEI, command_id="c-2")),
            code.ALREADY_EXISTS,
            "NUMBER_TAKEN",
        ),
        (doors.staff.RegisterEnterprise(a_registration(TAUGE)), code.ALREADY_EXISTS, "COMMAND_CONFLICT"),
        (
            doors.staff.RegisterEnterprise(a_registration(ALTYN, command_id="c-3")),
            code.ALREADY_EXISTS,
            "ALREADY_REGISTERED",
        ),
        (doors.staff.SuspendEnterprise(suspend), code.NOT_FOUND, "NOT_REGISTERED"),
        (doors.staff.ReinstateEnterprise(reinstate), code.FAILED_PRECONDITION, "NOT_SUSPENDED"),
    ]
    for call, status, reason in expected:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        assert (error.value.code(), reason_of(error.value)) == (status, reason)
    same = await doors.staff.RegisterEnterprise(a_registration(ALTYN, LEI))
    assert same.enterprise.id == ALTYN


async def test_a_batch_too_large_and_a_full_outbox_are_reported(doors):
    parties = [pb.PartyToCheck(identifier=identifier(ALTYN))] * (MAX_BATCH + 1)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await doors.declarations.CheckParties(pb.CheckPartiesRequest(parties=parties))
    assert reason_of(error.value) == "BATCH_TOO_LARGE"
    doors.overloaded = True
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await doors.staff.RegisterEnterprise(a_registration())
    assert (error.value.code(), reason_of(error.value)) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
