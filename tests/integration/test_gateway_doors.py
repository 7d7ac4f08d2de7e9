"""The gateway's doors on real parts: the command, a partner's own topic, a door that is killed."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from chassis.consuming.reader import Reader
from chassis.testing import eventually
from contracts.topics import PARTNERS, inbox
from launcher.platform import Platform
from launcher.services import PARTNERS as INBOXES

(PARTNER,) = INBOXES
WCO = """<?xml version="1.0"?><MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
 xmlns:d="urn:wco:datamodel:WCO:DEC-DMS:2"><WCOTypeName>DEC</WCOTypeName><d:Declaration>
<d:FunctionCode>9</d:FunctionCode><d:FunctionalReferenceID>{lrn}</d:FunctionalReferenceID><d:TypeCode>IMA</d:TypeCode>
<d:Declarant><d:ID>{declarant}</d:ID></d:Declarant><d:Submitter><d:ID>X1</d:ID></d:Submitter></d:Declaration></MetaData>"""


def trade(platform: Platform, *arguments: str, **environment: str) -> tuple[int, Any, str]:
    """Run the command against the platform: exit status, its JSON, what it says beside it."""
    done = subprocess.run(
        [sys.executable, "-m", "trade_cli.main", *arguments, "--json"],
        env=os.environ | {"TRADE_PLATFORM": str(platform.layout.description), "TRADE_STAFF": "li"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None, done.stderr


async def run(platform: Platform, *arguments: str, **environment: str) -> tuple[int, Any, str]:
    return await asyncio.to_thread(trade, platform, *arguments, **environment)


def an_event(**overrides: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/gate",
        "type": "trade.partners.shipment.gate_in.v1",
        "data": {
            "classifier": "ACT",
            "occurred_at": datetime.now(UTC).isoformat(),
            "references": {"ucr": f"6CN{uuid4().hex[:20].upper()}"},
        },
        **overrides,
    }


@pytest.fixture(scope="module")
async def partner_key(platform: Platform) -> str:
    status, issued, said = await run(
        platform, "keys", "issue", PARTNER, "--role", "port", "--place", "CNTAO", "--label", "gate"
    )
    assert status == 0, said
    assert issued["issued_by"] == "staff:li"
    return str(issued["key"])


async def test_a_key_opens_until_it_is_revoked(platform: Platform, tmp_path: Path) -> None:
    key_file, event_file = tmp_path / "port.key", tmp_path / "event.json"
    event_file.write_text(json.dumps(an_event()))
    status, issued, said = await run(
        platform, "keys", "issue", "port-x", "--role", "port", "--key-file", str(key_file), "--days", "1"
    )
    assert status == 0, said
    assert "key" not in issued
    assert key_file.stat().st_mode & 0o777 == 0o600
    send = ("send", "event", str(event_file), "--key-file", str(key_file))
    first, again = await run(platform, *send), await run(platform, *send)
    assert (first[0], again[0], again[1]["duplicate"], again[1]["id"]) == (0, 0, True, first[1]["id"])
    status, ended, said = await run(platform, "keys", "revoke", issued["id"], "--reason", "lost")
    assert (status, ended[0]["revoked_by"]) == (0, "staff:li"), said
    status, problem, _ = await run(platform, *send)
    assert (status, problem["type"]) == (1, "urn:trade:problem:key-invalid")
    listed = (await run(platform, "keys", "list", "--owner", "port-x"))[1]
    assert [each["revoke_reason"] for each in listed] == ["lost"]


async def test_a_document_is_sent_and_its_rejection_names_the_field(platform: Platform, tmp_path: Path) -> None:
    declarant = f"KZ{uuid4().int % 10**12:012}"
    document = tmp_path / "declaration.xml"
    document.write_text(WCO.format(lrn="L1", declarant=declarant))
    status, issued, said = await run(platform, "keys", "issue", f"KZ-EORI:{declarant}")
    assert status == 0, said
    status, receipt, said = await run(
        platform, "send", "declaration", str(document), "--wait", TRADE_KEY=issued["key"], TRADE_LANG="ru"
    )
    assert (status, receipt["status"]) == (1, "rejected"), said
    assert receipt["not_read"] == ["/Declaration/TypeCode", "/Declaration/Submitter/ID"]
    assert all(error["pointer"].startswith("/") and error["text"] for error in receipt["declaration"]["errors"])


async def test_a_firm_reads_what_it_was_told_and_lodges_while_notifications_is_away(
    platform: Platform, tmp_path: Path
) -> None:
    declarant = f"KZ{uuid4().int % 10**12:012}"
    document = tmp_path / "declaration.xml"
    document.write_text(WCO.format(lrn="L1", declarant=declarant))
    _, issued, _ = await run(platform, "keys", "issue", f"KZ-EORI:{declarant}")
    await run(platform, "send", "declaration", str(document), "--wait", TRADE_KEY=issued["key"])
    headers = {"authorization": f"Bearer {issued['key']}"}
    url = platform.describe()["gateway_url"]
    async with httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=10) as http:

        async def told() -> Any:
            return (await http.get("/v1/notices")).json()["notices"]

        (notice,) = await eventually(told)
        assert notice["template"] == "notice.rejected"
        assert f"KZ-EORI:{declarant}" in notice["body"]
        await platform.kill("notifications")
        try:
            away = await http.get("/v1/notices")
            assert (away.status_code, away.json()["type"]) == (503, "urn:trade:problem:notices-away")
            xml = {"content-type": "application/xml"}
            content = WCO.format(lrn="L2", declarant=declarant).encode()
            assert (await http.post("/v1/declarations", content=content, headers=xml)).status_code == 202
        finally:
            await platform.restart("notifications")

        async def there_again() -> bool:
            return (await http.get("/v1/notices")).status_code == 200

        assert await eventually(there_again)


async def test_a_refused_file_is_told_with_every_field(platform: Platform, tmp_path: Path, partner_key: str) -> None:
    events = tmp_path / "events.json"
    events.write_text(json.dumps([an_event(), an_event(data={})]))
    status, results, _ = await run(platform, "send", "event", str(events), TRADE_KEY=partner_key)
    assert (status, [each["status"] for each in results]) == (1, ["received", "refused"])
    assert len(results[1]["problem"]["errors"]) == 3


async def test_a_partners_topic_takes_the_good_and_quarantines_the_bad(platform: Platform, partner_key: str) -> None:
    mark = uuid4().hex
    good, bad = an_event(id=f"{mark}-good"), an_event(id=f"{mark}-bad", data={"classifier": "ACT"})
    binary = an_event(id=f"{mark}-binary")
    headers = [(f"ce_{name}", binary[name].encode()) for name in ("specversion", "id", "source", "type")]
    # What tools along the way write beside it, or a client for an attribute that it has not.
    headers += [("x-b3", b"\xff\xfe\x00"), ("TraceParent", b"\x80"), ("x-null", None), ("ce_subject", None)]
    producer = AIOKafkaProducer(bootstrap_servers=platform.infrastructure.bootstrap_servers)
    await producer.start()
    try:
        topic = inbox(PARTNER).name
        await producer.send_and_wait(topic, json.dumps(bad).encode(), key=b"k")
        await producer.send_and_wait(topic, b"\xff", key=b"k", headers=[("ce_id", b"\xff")])
        await producer.send_and_wait(topic, json.dumps(good).encode(), key=b"k")
        await producer.send_and_wait(topic, json.dumps(binary["data"]).encode(), key=b"k", headers=headers)
    finally:
        await producer.stop()
    authorization = {"authorization": f"Bearer {partner_key}"}
    url = platform.describe()["gateway_url"]
    async with httpx2.AsyncClient(base_url=url, headers=authorization, trust_env=False) as http:

        async def quarantined() -> Any:
            records = (await http.get("/v1/quarantine")).json()["records"]
            return [each for each in records if each.get("submission", {}).get("id") == bad["id"]]

        (record,) = await eventually(quarantined)
        pointers = {each["pointer"] for each in record["problem"]["errors"]}
        assert pointers == {"/data/occurred_at", "/data/references"}
        for event in (good, binary):

            async def known(event: dict[str, Any] = event) -> bool:
                # The door knows a submission that came by the topic: the same one again is a duplicate.
                kind = {"content-type": "application/cloudevents+json"}
                answer = await http.post("/v1/events", json=event, headers=kind)
                return bool(answer.json().get("duplicate"))

            assert await eventually(known)


async def test_what_was_acknowledged_is_published_though_the_gateway_is_killed(
    platform: Platform, partner_key: str
) -> None:
    headers = {"authorization": f"Bearer {partner_key}", "content-type": "application/cloudevents+json"}
    acknowledged: list[str] = []
    async with httpx2.AsyncClient(base_url=platform.describe()["gateway_url"], trust_env=False, timeout=10) as http:

        async def post() -> None:
            try:
                answer = await http.post("/v1/events", json=an_event(), headers=headers)
            except httpx2.HTTPError:
                return
            if answer.status_code == 202:
                acknowledged.append(answer.json()["id"])

        posting = [asyncio.create_task(post()) for _ in range(60)]
        await eventually(lambda: _at_least(acknowledged, 10), every_seconds=0.005)
        await platform.kill("gateway")
        await asyncio.gather(*posting)
    await platform.restart("gateway")
    assert acknowledged
    consumer = Reader(
        PARTNERS.name,
        bootstrap_servers=platform.infrastructure.bootstrap_servers,
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    published: set[str] = set()

    async def all_there() -> bool:
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            published.update(dict(record.headers)["ce_subject"].decode() for record in batch)
        return set(acknowledged) <= published

    try:
        await eventually(all_there)
    finally:
        await consumer.stop()


async def _at_least(found: list[str], number: int) -> bool:
    return len(found) >= number
