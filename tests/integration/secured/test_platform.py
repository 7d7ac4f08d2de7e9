"""All six services on secured servers, each with a user of its own: a shipment goes from lodging to closing.

No service may do more on Kafka than the topics table says, and no secret is found where it could be read.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest
from authority import Authority, bundle
from integration.secured.broker import SecuredBroker, secured_broker
from integration.secured.database import SecuredDatabase, secured_database

from chassis.testing import eventually
from contracts.kafka_rights import rights_of
from contracts.topics import SERVICES
from launcher.platform import Platform
from trade_cli.demo_facts import facts
from trade_cli.demo_story import Story
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.platform import load_platform
from trade_cli.tracking_client import View, tracking


@dataclass(frozen=True, slots=True)
class Secured:
    platform: Platform
    folder: Path
    broker: SecuredBroker
    secrets: frozenset[str]
    """Every password that a service was given."""

    @property
    def ca(self) -> Path:
        """The registry's own file of authorities for Kafka."""
        return self.folder / "registry-ca.pem"

    def password(self, service: str) -> Path:
        return self.folder / f"{service}.kafka"


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(secured_broker(folder))
        broker.register({service: rights_of(service) for service in SERVICES} | {"operator": ()})
        database = await stack.enter_async_context(secured_database(folder, broker.authority, SERVICES))
        for user, word in broker.passwords.items():
            _write(folder / f"{user}.kafka", word)
        for user, word in database.passwords.items():
            _write(folder / f"{user}.mongo", word)
        own = Authority(folder, "services")
        told = {service: _settings(service, folder, own, broker.authority) for service in SERVICES}
        told["registry"]["TRADE_KAFKA__CA_FILE"] = str(bundle(folder / "registry-ca.pem", broker.authority))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in _operator(folder, own, broker, database).items():
            environment.setenv(name, value)
        running = await stack.enter_async_context(Platform(folder / "platform", settings=told))
        yield Secured(running, folder, broker, frozenset([*broker.passwords.values(), *database.passwords.values()]))


def _operator(folder: Path, own: Authority, broker: SecuredBroker, database: SecuredDatabase) -> dict[str, str]:
    """What the launcher and the command `trade` are told."""
    staff = own.issue("staff")
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
        "MONGO_URL": database.url,
        "TRADE_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "TRADE_KAFKA__USERNAME": "operator",
        "TRADE_KAFKA__PASSWORD_FILE": str(folder / "operator.kafka"),
        "TRADE_KAFKA__CA_FILE": str(broker.authority.ca),
        "TRADE_TLS__CA_FILE": str(own.ca),
        "TRADE_TLS__CERTIFICATE_FILE": str(staff.certificate),
        "TRADE_TLS__KEY_FILE": str(staff.key),
    }


def _settings(service: str, folder: Path, own: Authority, servers: Authority) -> dict[str, str]:
    """What one service is told beside that."""
    issued = own.issue(service, "127.0.0.1")
    return {
        "TRADE_KAFKA__USERNAME": service,
        "TRADE_KAFKA__PASSWORD_FILE": str(folder / f"{service}.kafka"),
        "TRADE_MONGO__USERNAME": service,
        "TRADE_MONGO__PASSWORD_FILE": str(folder / f"{service}.mongo"),
        "TRADE_MONGO__CA_FILE": str(servers.ca),
        "TRADE_TLS__CA_FILE": str(own.ca),
        "TRADE_TLS__CERTIFICATE_FILE": str(issued.certificate),
        "TRADE_TLS__KEY_FILE": str(issued.key),
    }


def _write(file: Path, secret: str) -> None:
    file.touch(mode=0o600)
    file.write_text(secret + "\n")


async def missing(secured: Secured, service: str) -> str:
    """What a service's readiness says is missing; empty: it is ready, or does not answer."""
    address = load_platform(secured.platform.layout.description).services[service]
    async with httpx2.AsyncClient(trust_env=False) as client:
        try:
            answer = await client.get(f"{address.admin}/readyz")
        except httpx2.TransportError:
            return ""
    return str(answer.json()["not_ready"].get("service", ""))


async def waiting(secured: Secured, service: str) -> str:
    """What readiness says that the start waits for; empty while it says nothing of the kind."""
    said = await missing(secured, service)
    return said if said.startswith("the start waits: ") else ""


def waits(secured: Secured, service: str) -> list[str]:
    """The lines of a service's log that say what its start waits for."""
    lines = (secured.platform.layout.logs / f"{service}.log").read_text().splitlines()
    return [each["error"] for line in lines if (each := json.loads(line)).get("event") == "start_waits"]


async def test_a_shipment_closes_where_each_service_has_only_its_own_rights(secured: Secured) -> None:
    platform, told = load_platform(secured.platform.layout.description), facts()
    await register(platform, told.enterprises)
    keys = await issue_keys(platform, told.enterprises, told.partners, label="secured")

    async def nothing(_: View) -> None:
        return None

    async with doors(platform) as given, tracking(platform, "en") as console:
        story = Story(facts=told, keys=keys, doors=given, tracking=console, show=lambda _: None, on_progress=nothing)
        await story.play()
    assert {each["where"] for each in story.view["situations"]} == {"closed"}
    assert story.match
    for service in SERVICES:
        log = (secured.platform.layout.logs / f"{service}.log").read_text()
        assert "AuthorizationFailed" not in log, f"{service} misses a right"


async def test_no_secret_is_in_a_log_a_command_line_an_environment_or_at_the_admin_port(secured: Secured) -> None:
    places: dict[str, str] = {}
    for service, child in secured.platform.parts.items():
        assert child.pid is not None
        process = psutil.Process(child.pid)
        for each in (process, *process.children(recursive=True)):
            places[f"arguments of {service}"] = "\0".join(each.cmdline())
            environment = each.environ()
            places[f"environment of {service}"] = repr(environment)
            if service in SERVICES:
                assert "TRADE_KAFKA__PASSWORD_FILE" in environment
    for log in secured.platform.layout.logs.iterdir():
        places[log.name] = log.read_text(errors="replace")
    places["description"] = secured.platform.layout.description.read_text()
    async with httpx2.AsyncClient(trust_env=False) as client:
        for service, address in load_platform(secured.platform.layout.description).services.items():
            for path in ("/livez", "/readyz", "/metrics"):
                answer = await client.get(f"{address.admin}{path}")
                places[f"{path} of {service}"] = answer.text
    assert len(places) > 4 * len(SERVICES)
    found = {place for place, text in places.items() for secret in secured.secrets if secret in text}
    assert found == set(), "a secret can be read there"


async def test_a_wrong_password_is_told_once_in_the_log_and_by_readiness(secured: Secured) -> None:
    file, before = secured.password("registry"), len(waits(secured, "registry"))
    right = file.read_text()
    registry = secured.platform.parts["registry"]
    await registry.stop()
    file.write_text("open-sesame\n")
    registry.start()
    try:
        sentence = await eventually(lambda: waiting(secured, "registry"), within_seconds=30)
        assert "refuses the user 'registry' with this password" in sentence
        (line,) = waits(secured, "registry")[before:]
        assert line in sentence
        assert "open-sesame" not in (secured.platform.layout.logs / "registry.log").read_text()
    finally:
        file.write_text(right)
        await secured.platform.restart("registry")


async def test_an_authority_that_comes_later_lets_a_waiting_service_start(secured: Secured) -> None:
    registry = secured.platform.parts["registry"]
    await registry.stop()
    bundle(secured.ca, Authority(secured.folder, "other"))
    registry.start()
    sentence = await eventually(lambda: waiting(secured, "registry"), within_seconds=30)
    assert "comes from an authority that TRADE_KAFKA__CA_FILE does not hold" in sentence
    process = registry.pid
    bundle(secured.ca, secured.broker.authority)

    async def ready() -> bool:
        return not await missing(secured, "registry")

    await eventually(ready, within_seconds=30)
    assert registry.pid == process, "it was not restarted"
