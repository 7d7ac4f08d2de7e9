"""Partners: one code, one permanent role, grants with their history; and the stamps on their events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.gateway.tests.gateway_builders import as_staff

from chassis.delivery.records import RawRecord
from chassis.recovery.rebuild import Rebuild
from chassis.testing import in_memory
from contracts.envelope import Envelope
from contracts.topics import GATEWAY
from gateway.domain.access import Owner, OwnerKind, Principal
from gateway.domain.grants import NOTHING, Grants
from gateway.domain.partner import Partner, evolve
from gateway.partners.aggregate import PARTNER, PartnerMessages
from gateway.partners.grpc_server import RIGHTS, PartnerRpc
from gateway.partners.inbox import InboxHandler
from gateway.partners.known import KnownPartners
from gateway.receipts.aggregate import FIRM_RECEIPT
from gateway.settings import InboxSettings
from trade.gateway.v1 import partners_pb2 as pb
from values.identifiers import Identifier
from values.partner_roles import ROLES
from values.places import GrantedPlace, Locode

QINGDAO = pb.PartnerGrants(places=[pb.GrantedPlace(unlocode="cn tao", facility=" Qianwan  terminal ")])
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def partners(gateway: Any) -> PartnerRpc:
    registered, gateway.told = in_memory(PARTNER, topic=GATEWAY, clock=gateway.clock)
    return PartnerRpc(registered, KnownPartners(registered, gateway.clock, cache_seconds=5))


async def add(partners: PartnerRpc, code: str = "port-qd", role: str = "port") -> Any:
    return (await as_staff(partners.AddPartner, pb.AddPartnerRequest(code=code, role=role))).partner


async def grant(partners: PartnerRpc, grants: pb.PartnerGrants, code: str = "port-qd") -> Any:
    request = pb.GrantPartnerRequest(code=code, grants=grants, reason="contract 7")
    return (await as_staff(partners.GrantPartner, request)).partner


def test_every_kind_of_grant_is_a_field_of_grants() -> None:
    assert {kind for role in ROLES.values() for kind in role.grants} == set(Grants.__dataclass_fields__)


async def test_the_role_of_a_partner_is_permanent(partners: PartnerRpc) -> None:
    await add(partners)
    assert (await add(partners, " Port-QD")).code == "port-qd"
    with pytest.raises(RuntimeError, match="port-qd is registered as port, and a partner's role is permanent"):
        await add(partners, role="bank")


async def test_grants_have_a_history_with_actor_and_reason(partners: PartnerRpc) -> None:
    await add(partners)
    partner = await grant(partners, QINGDAO)
    assert [(each.unlocode, each.facility) for each in partner.grants.places] == [("CNTAO", "Qianwan terminal")]
    request = pb.RevokePartnerRequest(code="port-qd", grants=partner.grants, reason="contract ended")
    partner = (await as_staff(partners.RevokePartner, request)).partner
    assert not partner.grants.places
    assert [(each.fact, each.by, each.reason) for each in partner.changes] == [
        ("registered", "staff:li", ""),
        ("granted", "staff:li", "contract 7"),
        ("revoked", "staff:li", "contract ended"),
    ]
    got = await as_staff(partners.GetPartner, pb.GetPartnerRequest(code="port-qd"))
    assert got.partner == partner


async def test_a_repeated_command_publishes_nothing(partners: PartnerRpc, gateway: Any) -> None:
    for _ in range(2):
        await add(partners)
        await grant(partners, QINGDAO)
    assert gateway.told.types() == ["trade.gateway.partner.registered.v1", "trade.gateway.partner.granted.v1"]


async def test_a_partner_is_rebuilt_from_its_published_events(partners: PartnerRpc, gateway: Any) -> None:
    await add(partners, "carrier-kz", "carrier")
    number = pb.CarrierNumber(scheme="kz-bin", value="1905 4000 0014")
    await grant(partners, pb.PartnerGrants(carriers=[number]), "carrier-kz")
    state: Partner | None = None
    for entry in gateway.told.published:
        state = evolve(state, PartnerMessages().decode(entry["type"], entry["data"].encode()))
    assert state is not None
    assert state.grants == Grants(carriers=(Identifier("KZ-BIN", "190540000014"),))
    assert [each.fact for each in state.changes] == ["registered", "granted"]


async def test_partners_are_rebuilt_from_the_topic_that_they_share_with_firms_receipts(
    partners: PartnerRpc, gateway: Any
) -> None:
    await add(partners)
    await grant(partners, QINGDAO)
    answer = await gateway.http.post("/v1/declarations", json=gateway.a_declaration(), headers=gateway.firm())
    published = [*gateway.told.published, *(each for each in gateway.outbox.published)]
    registered, _ = in_memory(PARTNER, topic=GATEWAY)
    firms, _ = in_memory(FIRM_RECEIPT, topic=GATEWAY)
    folding = Rebuild([firms, registered])
    await folding.fold([_record(each) for each in published])
    folding.finish()
    partner = await registered.get("port-qd")
    assert partner is not None
    assert partner.grants == Grants(places=(GrantedPlace(Locode("CNTAO"), "Qianwan terminal"),))
    assert await firms.get(answer.json()["id"]) is not None


def _record(entry: Any) -> RawRecord:
    id_, _, place = entry["id"].rpartition("/")
    head = Envelope(
        entry["id"], "/trade/gateway", entry["type"], entry["time"], id_, int(place[2:]), "k", "cause", "staff:li"
    )
    return RawRecord(GATEWAY.name, 0, 0, b"k", tuple(head.headers()), entry["data"].encode(), 0)


@pytest.mark.parametrize(
    ("grants", "rule"),
    [
        (pb.PartnerGrants(places=[pb.GrantedPlace(unlocode="zz-nonsense")]), r"places\[0\].unlocode .*zz-nonsense"),
        (pb.PartnerGrants(customs_offices=["  "]), r"customs_offices\[0\]"),
        (pb.PartnerGrants(carriers=[pb.CarrierNumber(scheme="KZ-BIN")]), "carriers"),
        (pb.PartnerGrants(agencies=["GACC"]), "agencies does not apply to a partner of role port"),
    ],
)
async def test_an_invalid_grant_is_refused_by_name(partners: PartnerRpc, grants: Any, rule: str) -> None:
    await add(partners)
    with pytest.raises(RuntimeError, match=rule):
        await grant(partners, grants)


@pytest.mark.parametrize("code", ["a/../b", "", "port qd", "-x"])
async def test_a_malformed_partner_code_is_refused_everywhere(partners: PartnerRpc, code: str) -> None:
    for call in (add(partners, code), grant(partners, QINGDAO, code)):
        with pytest.raises(RuntimeError, match="code must have the form"):
            await call
    with pytest.raises(ValueError, match="not a partner code"):
        InboxSettings(partner=code)


async def test_an_unregistered_partner_cannot_be_granted_anything(partners: PartnerRpc) -> None:
    with pytest.raises(RuntimeError, match="no partner 'port-qd' is registered"):
        await grant(partners, QINGDAO)
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        await as_staff(partners.GetPartner, pb.GetPartnerRequest(code="port-qd"))


async def test_partners_are_listed_page_by_page(partners: PartnerRpc) -> None:
    for code in ("a", "b", "c"):
        await add(partners, code)
    first = await as_staff(partners.ListPartners, pb.ListPartnersRequest(page_size=2))
    rest = await as_staff(partners.ListPartners, pb.ListPartnersRequest(page_size=2, page_token=first.next_page_token))
    assert [each.code for each in (*first.partners, *rest.partners)] == ["a", "b", "c"]
    assert not rest.next_page_token


def test_partner_methods_are_for_staff_only() -> None:
    assert {right.staff for right in RIGHTS.values()} == {"partners.read", "partners.write"}
    assert all(not right.services and not right.anyone for right in RIGHTS.values())


places = st.builds(GrantedPlace, st.sampled_from(["CNTAO", "cn tao", "KZALA"]), st.sampled_from([None, "A", " A ", ""]))
some = st.builds(Grants, places=st.lists(places, max_size=4).map(tuple), agencies=st.just(("gacc",)))


@given(some, some)
def test_granting_and_revoking_are_union_and_difference(one: Grants, other: Grants) -> None:
    assert one | one == one
    assert one | other == other | one
    assert (one - other) | (one - (one - other)) == one
    assert one - one == NOTHING


async def test_an_event_is_stamped_with_the_current_grants(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    granted = Grants(places=(GrantedPlace(Locode("CNTAO")),))
    gateway.registered.stored["port-qd"] = Partner("port-qd", "port", granted)
    spoofed = {**gateway.an_event()["data"], "grants": {"places": [{"unlocode": "KZALA"}]}}
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(data=spoofed), headers=headers)
    assert answer.status_code == 202
    data = json.loads(gateway.outbox.published[0]["data"])
    assert data["grants"]["places"] == [{"unlocode": "CNTAO"}]
    assert data["submission_source"] == "/port/qingdao"


async def test_a_retraction_names_the_source_of_the_retracted_event(gateway: Any) -> None:
    headers = gateway.partner() | CLOUDEVENT
    own = gateway.an_event(id="r1", data=gateway.an_event()["data"] | {"retracts": "evt-1"})
    other = gateway.an_event(id="r2", data=own["data"] | {"retracts_source": "/port/other"})
    for event in (own, other):
        await gateway.http.post("/v1/events", json=event, headers=headers)
    sources = [json.loads(each["data"])["retracts_source"] for each in gateway.outbox.published]
    assert sources == ["/port/qingdao", "/port/other"]


async def test_a_key_of_an_unregistered_partner_is_refused(gateway: Any) -> None:
    headers = {"Authorization": f"Bearer {gateway.key(Owner(OwnerKind.PARTNER, 'ghost', 'port'))}"} | CLOUDEVENT
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:trade:problem:partner-not-registered")


async def test_a_key_with_another_role_than_the_registered_one_cannot_report(gateway: Any) -> None:
    shown = gateway.key(Owner(OwnerKind.PARTNER, "port-qd", "port"))
    gateway.registered.stored["port-qd"] = Partner("port-qd", "bank")
    headers = {"Authorization": f"Bearer {shown}"} | CLOUDEVENT
    answer = await gateway.http.post("/v1/events", json=gateway.an_event(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:trade:problem:scope-missing")


async def test_records_of_an_unregistered_partner_are_quarantined(gateway: Any) -> None:
    owner = Owner(OwnerKind.PARTNER, "ghost")
    inbox = InboxHandler(Principal(owner, ()), gateway.partners, gateway.receipts, gateway.quarantine, gateway.clock)
    value = json.dumps(gateway.an_event()).encode()
    await inbox.apply([RawRecord("inbox.ghost", 0, 0, None, (), value, 1_767_600_000_000)])
    assert [each.problem for each in gateway.quarantine.stored.values()] == ["partner-not-registered"]
