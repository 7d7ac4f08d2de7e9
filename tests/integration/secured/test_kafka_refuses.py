"""Kafka by TLS and SCRAM: what does not fit is one line that says what to do, in the log and at the admin port."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from authority import Authority
from integration.secured.broker import SecuredBroker, secured_broker
from pydantic import SecretStr

from chassis.broker.connections import Admin
from chassis.broker.refusals import BrokerRefusesUs, why_not
from chassis.settings import KafkaSettings
from contracts.kafka_rights import rights_of
from launcher.ports import PortBlock


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredBroker]:
    async with secured_broker(tmp_path_factory.mktemp("secured")) as running:
        running.register({"registry": rights_of("registry")})
        yield running


async def refused(settings: KafkaSettings) -> str:
    admin = Admin(settings)
    try:
        with pytest.raises(BrokerRefusesUs) as told:
            await admin.ask(lambda client: client.describe_cluster())
    finally:
        await admin.stop()
    line = str(told.value)
    assert line.count("\n") == 0
    return line


async def test_the_right_user_comes_in(broker: SecuredBroker) -> None:
    admin = Admin(broker.settings("registry"))
    try:
        assert (await admin.ask(lambda client: client.describe_cluster()))["brokers"]
    finally:
        await admin.stop()
    assert await why_not(broker.settings("registry")) == ""


async def test_a_wrong_password_names_user_and_settings_and_never_the_password(broker: SecuredBroker) -> None:
    line = await refused(broker.settings("registry", password=SecretStr("open-sesame")))
    assert line == (
        f"Kafka at {broker.address} refuses the user 'registry' with this password (SCRAM-SHA-512): check "
        "TRADE_KAFKA__USERNAME and TRADE_KAFKA__PASSWORD_FILE, and that the broker has this user"
    )


async def test_an_unknown_authority_names_the_file_that_lacks_it(broker: SecuredBroker, tmp_path: Path) -> None:
    line = await refused(broker.settings("registry", ca_file=Authority(tmp_path, "other").ca))
    assert "comes from an authority that TRADE_KAFKA__CA_FILE does not hold" in line
    assert line.endswith("add the authority's certificate to that file")


async def test_a_certificate_for_another_host_says_so(broker: SecuredBroker) -> None:
    port = broker.address.rpartition(":")[2]
    line = await refused(broker.settings("registry", bootstrap_servers=f"localhost:{port}"))
    assert line.startswith(f"Kafka at localhost:{port}: its certificate is for another name (")
    assert line.endswith("use an address that the certificate names, or have it issued for this one too")


async def test_tls_at_a_plain_port_and_plain_at_a_tls_port_are_told_apart(broker: SecuredBroker) -> None:
    line = await refused(broker.settings("registry", bootstrap_servers=broker.operator))
    assert "expects another TRADE_KAFKA__SECURITY_PROTOCOL than SASL_SSL" in line
    line = await refused(broker.settings("registry", security_protocol="PLAINTEXT"))
    assert "expects another TRADE_KAFKA__SECURITY_PROTOCOL than PLAINTEXT" in line


async def test_a_mechanism_that_the_broker_lacks_is_named(broker: SecuredBroker) -> None:
    line = await refused(broker.settings("registry", sasl_mechanism="PLAIN"))
    assert line.endswith("does not offer PLAIN: set TRADE_KAFKA__SASL_MECHANISM")


async def test_a_broker_that_is_merely_away_is_no_fault_of_the_settings(broker: SecuredBroker) -> None:
    ports = PortBlock()
    free = ports.choose(["nobody"], {})["nobody"]
    try:
        assert await why_not(broker.settings("registry", bootstrap_servers=f"127.0.0.1:{free}")) == ""
    finally:
        ports.release()


async def test_an_authority_added_to_the_file_counts_at_the_next_connection(
    broker: SecuredBroker, tmp_path: Path
) -> None:
    """The clients of a running service keep one context for their life."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Authority(tmp_path, "other").ca.read_bytes())
    options = broker.settings("registry", ca_file=ca).client_options()
    host, _, port = broker.address.rpartition(":")
    context = options["ssl_context"]
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        await asyncio.open_connection(host, int(port), ssl=context)
    ca.write_bytes(broker.authority.ca.read_bytes())
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    writer.close()
