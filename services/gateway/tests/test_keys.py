"""Keys: shown once, stored as a hash, compared in constant time, revoked at once; and the service that issues them."""

import ast
import inspect
from datetime import timedelta
from typing import Any

import pytest
from services.gateway.tests.gateway_builders import as_staff

from chassis.rpc import RpcError
from gateway.domain import keys
from gateway.domain.access import Owner, OwnerKind, Principal, default_scopes, scopes_beyond
from gateway.domain.partner import Partner
from gateway.keys.authentication import UNSEEN_AT_ONCE
from gateway.keys.grpc_server import RIGHTS, KeyRpc
from trade.gateway.v1 import gateway_pb2 as pb
from values.partner_roles import ROLES

PORT = Owner(OwnerKind.PARTNER, "port-qd", "port")


@pytest.fixture
def rpc(gateway: Any) -> KeyRpc:
    for code, role in {"port-qd": "port", "x": "port", "a": "port", "b": "port", "c": "port"}.items():
        gateway.registered.stored[code] = Partner(code, role)
    return KeyRpc(gateway.keys, gateway.authenticator, gateway.partners, gateway.clock)


def test_the_secret_is_not_stored() -> None:
    id_, shown, digest = keys.write(b"123456", b"s" * 32)
    secret = shown.rpartition("_")[2]
    assert shown.startswith(f"trade_{id_}_")
    assert secret not in digest
    assert digest == keys.digest(secret)


def test_a_key_is_parsed_for_any_secret() -> None:
    for filler in range(256):
        id_, shown, digest = keys.write(b"123456", bytes([filler]) * 32)
        presented = keys.read(shown)
        assert presented is not None
        assert (presented.id, keys.digest(presented.secret)) == (id_, digest)


@pytest.mark.parametrize("text", ["", "trade", "trade__x", "trade_1_", "other_1_x", "trade_1_ключ"])
def test_a_malformed_key_is_rejected(text: str) -> None:
    assert keys.read(text) is None


def test_hashes_are_compared_in_constant_time_even_without_a_stored_key() -> None:
    tree = ast.parse(inspect.getsource(keys.opens))
    compared = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest"
    ]
    assert len(compared) == 1
    # The first statement compares the hashes: no path returns before it.
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert "compare_digest" in ast.unparse(function.body[1])
    assert not any(isinstance(node, ast.Eq) for node in ast.walk(tree))


async def test_all_wrong_keys_get_the_same_refusal(gateway: Any) -> None:
    shown = gateway.key(PORT)
    right_id = shown.split("_")[1]
    wrong = [f"trade_{right_id}_{'A' * 43}", f"trade_ffffffffffff_{'A' * 43}", "nonsense", f"{shown}x"]
    answers = [await gateway.http.get("/v1/quarantine", headers={"Authorization": f"Bearer {each}"}) for each in wrong]
    assert {(each.status_code, each.json()["detail"]) for each in answers} == {(401, answers[0].json()["detail"])}
    assert answers[0].headers["www-authenticate"] == "Bearer"


async def test_a_request_without_a_key_is_refused(gateway: Any) -> None:
    for headers in ({}, {"Authorization": "Basic Zm9v"}, {"Authorization": "Bearer"}):
        answer = await gateway.http.get("/v1/quarantine", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:trade:problem:key-missing")


async def test_made_up_keys_cost_the_database_little(gateway: Any) -> None:
    async def status(id_: str) -> int:
        headers = {"Authorization": f"Bearer trade_{id_}_{'A' * 43}"}
        found: int = (await gateway.http.get("/v1/quarantine", headers=headers)).status_code
        return found

    assert {await status(f"{n:012x}") for n in range(500)} == {401}
    assert gateway.keys.asked == UNSEEN_AT_ONCE + 1
    await gateway.clock.advance(seconds=5)
    assert {await status(f"{n:012x}") for n in range(500)} == {401}
    assert gateway.keys.asked == 2 * (UNSEEN_AT_ONCE + 1)


async def test_a_new_key_of_another_replica_works_at_once_or_within_seconds_under_attack(
    gateway: Any,
) -> None:
    async def status(headers: dict[str, str]) -> int:
        found: int = (await gateway.http.get("/v1/quarantine", headers=headers)).status_code
        return found

    for code in ("port-qd", "port-sh", "port-tj"):
        assert await status(gateway.partner(code)) == 200
    for n in range(100):
        assert await status({"Authorization": f"Bearer trade_{n:012x}_{'A' * 43}"}) == 401
    late = gateway.partner("port-nb")
    assert await status(late) == 401
    await gateway.clock.advance(seconds=5)
    assert await status(late) == 200


async def test_a_key_issued_here_works_at_once_under_attack(gateway: Any, rpc: KeyRpc) -> None:
    for n in range(100):
        wrong = {"Authorization": f"Bearer trade_{n:012x}_{'A' * 43}"}
        assert (await gateway.http.get("/v1/quarantine", headers=wrong)).status_code == 401
    owner = pb.Owner(partner=pb.Partner(code="port-qd", role="port"))
    issued = await as_staff(rpc.IssueKey, pb.IssueKeyRequest(owner=owner))
    headers = {"Authorization": f"Bearer {issued.secret}"}
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 200


async def test_two_keys_of_one_owner_are_valid_at_the_same_time(gateway: Any) -> None:
    old, new = gateway.partner(), gateway.partner()
    for headers in (old, new):
        assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 200


async def test_an_expired_key_is_refused(gateway: Any) -> None:
    shown = gateway.key(PORT, expires_at=gateway.clock.now() + timedelta(hours=1))
    headers = {"Authorization": f"Bearer {shown}"}
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 200
    await gateway.clock.advance(hours=1)
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 401


async def test_issue_use_revoke(gateway: Any, rpc: KeyRpc) -> None:
    owner = pb.Owner(partner=pb.Partner(code="port-qd", role="port"))
    issued = await as_staff(rpc.IssueKey, pb.IssueKeyRequest(owner=owner, label="gate system"))
    headers = {"Authorization": f"Bearer {issued.secret}"}
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 200
    assert issued.key.issued_by == "staff:li"
    revoked = await as_staff(rpc.RevokeKey, pb.RevokeKeyRequest(key_id=issued.key.id, reason="lost"))
    assert revoked.key.revoke_reason == "lost"
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 401
    again = await as_staff(rpc.RevokeKey, pb.RevokeKeyRequest(key_id=issued.key.id, reason="other"))
    assert again.key.revoke_reason == "lost"


async def test_a_key_revoked_by_another_replica_works_for_seconds_only(gateway: Any) -> None:
    headers = gateway.partner()
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 200
    (id_,) = gateway.keys.stored
    await gateway.keys.revoke(id_, gateway.clock.now(), "staff:li", "lost")
    await gateway.clock.advance(seconds=5)
    assert (await gateway.http.get("/v1/quarantine", headers=headers)).status_code == 401


async def test_listed_keys_contain_no_secret(gateway: Any, rpc: KeyRpc) -> None:
    for code in ("a", "b", "c"):
        await as_staff(rpc.IssueKey, pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(code=code, role="port"))))
    firm = pb.Owner(firm=pb.Firm(scheme="kz-bin", value="1905 4000 0014"))
    issued = await as_staff(rpc.IssueKey, pb.IssueKeyRequest(owner=firm))
    first = await as_staff(rpc.ListKeys, pb.ListKeysRequest(page_size=3))
    second = await as_staff(rpc.ListKeys, pb.ListKeysRequest(page_size=3, page_token=first.next_page_token))
    assert len({key.id for key in (*first.keys, *second.keys)}) == 4
    last = pb.ListKeysRequest(page_size=4)
    assert (await as_staff(rpc.ListKeys, last)).next_page_token == ""
    for asked in (
        pb.ListKeysRequest(page_size=-1),
        pb.ListKeysRequest(page_token="x"),
        pb.ListKeysRequest(owner=firm, page_token=first.next_page_token),
    ):
        with pytest.raises(RpcError, match="page_"):
            await as_staff(rpc.ListKeys, asked)
    of_firm = await as_staff(rpc.ListKeys, pb.ListKeysRequest(owner=firm))
    assert [key.owner.firm.value for key in of_firm.keys] == ["190540000014"]
    assert issued.secret.rpartition("_")[2] not in str(of_firm)


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (pb.IssueKeyRequest(), "owner must be a partner or a firm"),
        (pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(code="x", role="king"))), "owner.partner.role"),
        (pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(role="port"))), "owner.partner.code"),
        (pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(code="a/../b", role="port"))), "owner.partner.code"),
        (
            pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(code="nobody", role="port"))),
            "no partner 'nobody' is registered",
        ),
        (pb.IssueKeyRequest(owner=pb.Owner(partner=pb.Partner(code="x", role="bank"))), "role is permanent"),
        (pb.IssueKeyRequest(owner=pb.Owner(firm=pb.Firm(scheme="KZ-BIN"))), "owner.firm"),
        (
            pb.IssueKeyRequest(
                owner=pb.Owner(partner=pb.Partner(code="x", role="port")),
                scopes=["events.write:trade.partners.payment.*"],
            ),
            "cannot be given to port",
        ),
    ],
)
async def test_invalid_requests_for_a_key_are_refused(
    gateway: Any, rpc: KeyRpc, request_: pb.IssueKeyRequest, rule: str
) -> None:
    with pytest.raises(RuntimeError, match=rule):
        await as_staff(rpc.IssueKey, request_)
    assert gateway.keys.stored == {}


async def test_revoking_needs_a_reason_and_an_existing_key(rpc: KeyRpc) -> None:
    with pytest.raises(RuntimeError, match="reason"):
        await as_staff(rpc.RevokeKey, pb.RevokeKeyRequest(key_id="1"))
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        await as_staff(rpc.RevokeKey, pb.RevokeKeyRequest(key_id="1", reason="x"))


def test_key_methods_are_for_staff_only() -> None:
    assert {right.staff for right in RIGHTS.values()} == {"keys.read", "keys.write"}
    assert all(not right.services and not right.anyone for right in RIGHTS.values())


def test_scopes_never_go_beyond_the_role() -> None:
    for role in ROLES:
        owner = Owner(OwnerKind.PARTNER, "x", role)
        assert scopes_beyond(owner, default_scopes(owner)) == []
        assert scopes_beyond(owner, ["events.write:*"]) == ["events.write:*"]
    assert scopes_beyond(PORT, ["events.write:trade.partners.shipment.gate_in.v1", "declarations.write"]) == [
        "declarations.write"
    ]


def test_a_stored_scope_beyond_the_role_allows_nothing() -> None:
    principal = Principal(PORT, ("events.write:*",))
    assert principal.may_report("trade.partners.shipment.gate_in.v1")
    assert not principal.may_report("trade.partners.payment.confirmed.v1")


async def test_a_key_is_issued_in_the_role_that_the_partner_is_registered_with(rpc: KeyRpc) -> None:
    owner = pb.Owner(partner=pb.Partner(code=" PORT-QD "))
    issued = await as_staff(rpc.IssueKey, pb.IssueKeyRequest(owner=owner))
    assert (issued.key.owner.partner.code, issued.key.owner.partner.role) == ("port-qd", "port")
