"""Staff commands and peer queries, over in-memory stores and over MongoDB."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from services.registry.tests.registry_builders import ALTYN, LEI, QINGDAO, TAUGE, a_description, an_order, country_of

from registry.claims import NumberTaken
from registry.domain.enterprise import (
    AlreadyRegistered,
    AlreadySuspended,
    NotRegistered,
    PrimaryNumberFixed,
    Role,
    Status,
)
from registry.domain.identifiers import Number
from registry.handlers import CommandConflict, change, register, reinstate, suspend
from registry.ports import Ports
from registry.queries import Standing, find_contacts, find_enterprises, get_enterprise, standing
from registry.requests import InvalidRequest


def number(written: str) -> Number:
    scheme, _, value = written.partition(":")
    return Number(scheme, value)


async def test_an_enterprise_is_found_by_any_of_its_numbers_however_they_are_written(ports: Ports) -> None:
    registered = await register(
        ports, an_order(), "KZ", a_description("kz-bin: 190540000014", LEI, name="Алтын", language="ru")
    )
    assert registered.enterprise.id == ALTYN
    assert registered.contact.value("name") == "Алтын"
    for written in (ALTYN, LEI, "lei:2138 00KUD8LAJWSQ9D15"):
        assert await get_enterprise(ports, number(written)) == registered
    with pytest.raises(NotRegistered):
        await get_enterprise(ports, number(TAUGE))


async def test_all_faults_of_a_request_are_reported_at_once(ports: Ports) -> None:
    description = a_description(
        "KZ-BIN:190540000015", "QQ-A1:1", roles=("king",), name="x" * 201, email="nobody", language="kk"
    )
    with pytest.raises(InvalidRequest) as refused:
        await register(ports, an_order(""), "Kazakhstan", description)
    assert {(fault.field, fault.rule) for fault in refused.value.faults} == {
        ("command_id", "registry.field.required"),
        ("country", "registry.field.country"),
        ("identifiers[0].value", "registry.identifier.check_digit"),
        ("identifiers[1].scheme", "registry.identifier.scheme_country"),
        ("roles[0]", "registry.field.role"),
        ("name", "registry.field.too_long"),
        ("contact.email", "registry.field.email"),
        ("contact.language", "registry.field.language"),
    }
    assert await find_enterprises(ports, [number(ALTYN)]) == [None]


async def test_an_enterprise_without_a_number_and_a_reason_without_a_code_are_refused(ports: Ports) -> None:
    with pytest.raises(InvalidRequest):
        await change(ports, an_order(), ALTYN, replace(a_description(), numbers=()))
    with pytest.raises(InvalidRequest):
        await suspend(ports, an_order(), ALTYN, "It did something bad")


async def test_a_repeated_command_is_harmless_and_another_command_with_its_id_is_refused(ports: Ports) -> None:
    first = await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, email="a@b.kz"))
    assert await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, email="a@b.kz")) == first
    for other in (
        a_description(ALTYN, roles=("agent",), email="a@b.kz"),
        a_description(ALTYN, email="other@b.kz"),
        a_description(TAUGE, email="a@b.kz"),
    ):
        with pytest.raises(CommandConflict):
            await register(ports, an_order("c-1"), "KZ", other)
    assert await get_enterprise(ports, number(ALTYN)) == first
    with pytest.raises(AlreadyRegistered):
        await register(ports, an_order("c-2"), "KZ", a_description(ALTYN))


async def test_a_number_belongs_to_one_enterprise_even_as_a_secondary_number(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, LEI))
    for command_id, description in (("c-2", a_description(TAUGE, LEI)), ("c-6", a_description(LEI))):
        with pytest.raises(NumberTaken, match=f"{LEI} belongs to {ALTYN}"):
            await register(ports, an_order(command_id), country_of(description), description)
    await register(ports, an_order("c-3"), "KZ", a_description(TAUGE))
    with pytest.raises(NumberTaken):
        await change(ports, an_order("c-4"), TAUGE, a_description(TAUGE, LEI))
    with pytest.raises(NumberTaken):
        await change(ports, an_order("c-5"), TAUGE, a_description(TAUGE, ALTYN))


async def test_a_number_that_an_enterprise_gives_up_is_free_for_another(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, LEI))
    await change(ports, an_order("c-2"), ALTYN, a_description(ALTYN))
    taken = await register(ports, an_order("c-3"), "CN", a_description(QINGDAO, LEI))
    assert taken.enterprise.numbers == (QINGDAO, LEI)
    with pytest.raises(NumberTaken):
        await change(ports, an_order("c-4"), ALTYN, a_description(ALTYN, LEI))


async def test_a_held_number_stays_held_when_its_claim_is_lost(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, LEI))
    present = await ports.claims.load([LEI])
    assert await ports.claims.replace(
        present[LEI].__class__(LEI, "KZ-BIN:nobody", (), present[LEI].version + 1), present[LEI].version
    )
    with pytest.raises(NumberTaken):
        await register(ports, an_order("c-2"), "KZ", a_description(TAUGE, LEI))
    changed = await change(ports, an_order("c-3"), ALTYN, a_description(ALTYN, LEI, roles=("agent",)))
    assert changed.enterprise.roles == (Role.AGENT,)


async def test_a_suspended_enterprise_may_not_act_until_it_is_reinstated(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, LEI, roles=("declarant", "importer")))
    suspended = await suspend(ports, an_order("c-2"), LEI, "sanctions")
    assert (suspended.enterprise.status, suspended.enterprise.reason) == (Status.SUSPENDED, "sanctions")
    assert standing(suspended.enterprise, "importer") is Standing.SUSPENDED
    with pytest.raises(AlreadySuspended):
        await suspend(ports, an_order("c-3"), ALTYN, "sanctions")
    assert await suspend(ports, an_order("c-2"), ALTYN, "sanctions") == suspended
    reinstated = await reinstate(ports, an_order("c-4"), ALTYN, "cleared")
    assert standing(reinstated.enterprise, "importer") is Standing.MAY_ACT
    assert standing(reinstated.enterprise, "carrier") is Standing.ROLE_MISSING
    assert standing(reinstated.enterprise, None) is Standing.MAY_ACT
    with pytest.raises(NotRegistered):
        await suspend(ports, an_order("c-5"), TAUGE, "sanctions")


async def test_a_change_keeps_contact_fields_it_does_not_set(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(name="Алтын", email="a@b.kz", language="ru"))
    changed = await change(ports, an_order("c-2"), ALTYN, a_description(ALTYN, LEI, email="new@b.kz"))
    assert [changed.contact.value(name) for name in ("name", "email", "language")] == ["Алтын", "new@b.kz", "ru"]
    again = await register(ports, an_order("c-1"), "KZ", a_description(name="Алтын", email="a@b.kz", language="ru"))
    assert again.contact.value("email") == "new@b.kz"
    with pytest.raises(PrimaryNumberFixed):
        await change(ports, an_order("c-3"), ALTYN, a_description(LEI, ALTYN))


async def test_answers_come_in_the_order_asked(ports: Ports) -> None:
    await register(ports, an_order("c-1"), "KZ", a_description(ALTYN, LEI, email="a@b.kz", language="ru"))
    await register(ports, an_order("c-2"), "CN", a_description(QINGDAO))
    asked = [number(each) for each in (QINGDAO, TAUGE, LEI, "nonsense", ALTYN, QINGDAO)]
    found = await find_enterprises(ports, asked)
    assert [each and each.id for each in found] == [QINGDAO, None, ALTYN, None, ALTYN, QINGDAO]
    contacts = await find_contacts(ports, asked)
    assert [each and each.contact.value("email") for each in contacts] == ["", None, "a@b.kz", None, "a@b.kz", ""]


async def test_history_and_events_contain_no_personal_data(ports: Ports) -> None:
    secret: dict[str, Any] = {"name": "Айгуль Серикова", "email": "aigul@altyn.kz"}
    await register(ports, an_order("c-1"), "KZ", a_description(**secret))
    await change(ports, an_order("c-2"), ALTYN, a_description(ALTYN, LEI, email="serikova@altyn.kz"))
    document = (await ports.enterprises.documents.load([ALTYN]))[ALTYN]
    written = json.dumps(document, default=str, ensure_ascii=False)
    assert not any(word in written for word in ("Айгуль", "aigul", "serikova"))
    await ports.contacts.erase(ALTYN)
    assert (await get_enterprise(ports, number(ALTYN))).contact.fields == {}


async def test_the_history_names_who_did_it(ports: Ports) -> None:
    await register(ports, an_order("c-1", actor="staff:li"), "KZ", a_description())
    await suspend(ports, an_order("c-2", actor="staff:petrov"), ALTYN, "sanctions")
    document = (await ports.enterprises.documents.load([ALTYN]))[ALTYN]
    assert [(line["by"], line["cause"]) for line in document["history"]] == [
        ("staff:li", "c-1"),
        ("staff:petrov", "c-2"),
    ]


async def test_one_of_twenty_concurrent_registrations_of_a_number_is_applied_and_the_others_already_exist(ports):
    description = a_description(ALTYN, LEI, email="a@b.kz")
    results = await asyncio.gather(
        *(register(ports, an_order(f"c-{index}"), "KZ", description) for index in range(20)), return_exceptions=True
    )
    refused = [each for each in results if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [AlreadyRegistered] * 19
    (claim,) = (await ports.claims.load([ALTYN])).values()
    assert (claim.enterprise_id, claim.commands) == (ALTYN, ())


async def test_one_of_twenty_firms_that_claim_a_number_at_once_gets_it(ports):
    shared = [a_description(f"GB-EORI:GB{index}", LEI) for index in range(20)]
    results = await asyncio.gather(
        *(register(ports, an_order(f"c-{index}"), "GB", each) for index, each in enumerate(shared)),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, BaseException)]
    # A command whose claim was taken over is abandoned: its id cannot be used again.
    assert {type(each) for each in refused} <= {NumberTaken, CommandConflict}
    assert len(refused) == 19
    assert len(await ports.enterprises.find({"state.numbers": {"$in": [LEI]}})) == 1


@pytest.mark.parametrize(
    ("numbers", "country", "field", "rule"),
    [
        (("KZ-BIN:19054000001⁴",), "KZ", "identifiers[0].value", "registry.identifier.form"),
        (("KZ-BIN:１９０５４００００１４",), "KZ", "identifiers[0].value", "registry.identifier.form"),
        (("DE-EORI:GB603202734852",), "DE", "identifiers[0].value", "registry.identifier.issuer"),
        (("KZ-BIN:190540000014",), "CN", "country", "registry.identifier.country"),
        (("GB-EORI:GB603202734852",), "IE", "country", "registry.identifier.country"),
    ],
)
async def test_a_number_of_another_country_or_script_is_refused(ports, numbers, country, field, rule):
    with pytest.raises(InvalidRequest) as refused:
        await register(ports, an_order(), country, a_description(*numbers))
    assert [(each.field, each.rule) for each in refused.value.faults] == [(field, rule)]


@pytest.mark.parametrize(
    ("numbers", "country"),
    [(("XI-EORI:XI553202734852",), "GB"), ((LEI,), "KZ"), ((ALTYN, "RU-INN:7707083893"), "KZ")],
)
async def test_an_lei_and_secondary_numbers_do_not_fix_the_country(ports, numbers, country):
    assert (await register(ports, an_order(), country, a_description(*numbers))).enterprise.country == country


@pytest.mark.parametrize(
    ("name", "command_id", "field", "rule"),
    [
        ("a\x01b", "c-1", "name", "registry.text.control"),
        ("a\u202eb", "c-1", "name", "registry.text.hidden"),
        ("Алтын", "c\u200b-1", "command_id", "registry.text.hidden"),
        ("Алтын", "cс-1", "command_id", "registry.text.mixed_scripts"),
    ],
)
async def test_control_hidden_and_mixed_script_characters_are_refused(ports, name, command_id, field, rule):
    with pytest.raises(InvalidRequest) as refused:
        await register(ports, an_order(command_id), "KZ", a_description(name=name))
    assert [(each.field, each.rule) for each in refused.value.faults] == [(field, rule)]
