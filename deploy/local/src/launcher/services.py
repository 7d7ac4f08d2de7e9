"""The services: their ports and the environment that each is started with."""

import json
import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chassis.rpc import STAFF, create_key
from contracts import topics
from launcher.layout import Layout
from launcher.processes import Child

SERVICES = topics.SERVICES
"""In the order in which they are listed; they start concurrently, and each waits for what it needs."""

DOORS = ("gateway", "tracking")
"""Services with a public HTTP door."""

PARTNERS = ("port",)
"""Default codes of the partners with an inbox topic; staff register them."""

STAFF_USER = "staff"

MAIL_FROM = "notices@trade.example"
"""Sender of the platform's mail; the domain does not exist."""


def port_names(services: Iterable[str] = SERVICES) -> list[str]:
    """The names of all ports of the services."""
    names = [f"{service}.{kind}" for service in services for kind in ("grpc", "admin")]
    return [*names, *(f"{service}.http" for service in DOORS), "tracking.otlp", "smtp"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The servers, keys and ports that the services use."""

    layout: Layout
    ports: Mapping[str, int]
    bootstrap_servers: str
    mongo_url: str
    kafka_access: Mapping[str, str] = field(default_factory=dict)
    """Variables with the credentials for a given broker."""

    def address(self, port: str) -> str:
        return f"127.0.0.1:{self.ports[port]}"


def prepare_secrets(layout: Layout, mongo_url: str) -> None:
    """Create the keys of every issuer and the support console's password, if missing; write the database's address."""
    for issuer in (*SERVICES, STAFF):
        if not any(layout.keys.glob(f"{issuer}.*.private.pem")):
            create_key(layout.keys, issuer)
    if not layout.tracking_password.exists():
        layout.tracking_password.touch(mode=0o600)
        layout.tracking_password.write_text(secrets.token_urlsafe(18) + "\n")
    layout.mongo_url.touch(mode=0o600)
    layout.mongo_url.write_text(mongo_url + "\n")


def environment(service: str, around: Surroundings) -> dict[str, str]:
    """The environment of a service; the user's own TRADE_ variables are left out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRADE_")}
    settings = {
        "INSTANCE": f"{service}-0",
        "KAFKA__BOOTSTRAP_SERVERS": around.bootstrap_servers,
        "KAFKA__SESSION_TIMEOUT_MS": "10000",
        "MONGO__DATABASE": service,
        "KEYS_DIR": str(around.layout.keys),
        "OTLP_ENDPOINT": around.address("tracking.otlp"),
        "TOPIC_PROFILE": "dev",
        "ENVIRONMENT": "development",
        "GRPC_REFLECTION": "true",
    }
    for door in ("grpc", "admin", "http"):
        if f"{service}.{door}" in around.ports:
            settings[f"{door.upper()}__HOST"] = "127.0.0.1"
            settings[f"{door.upper()}__PORT"] = str(around.ports[f"{service}.{door}"])
    for peer in SERVICES:
        if peer != service and f"{peer}.grpc" in around.ports:
            settings[f"PEERS__{peer.upper()}"] = around.address(f"{peer}.grpc")
    settings |= _database(around) | _special(service, around)
    named = {f"TRADE_{name}": value for name, value in settings.items()}
    return inherited | named | dict(around.kafka_access) | {"PYTHONUNBUFFERED": "1"}


def _database(around: Surroundings) -> dict[str, str]:
    """An address with a password comes from a file: others can read a process's environment in backups and dumps."""
    if "@" not in around.mongo_url:
        return {"MONGO__URL": around.mongo_url}
    return {"MONGO__URL_FILE": str(around.layout.mongo_url)}


def _special(service: str, around: Surroundings) -> dict[str, str]:
    match service:
        case "tracking":
            return {
                "OTLP__HOST": "127.0.0.1",
                "OTLP__PORT": str(around.ports["tracking.otlp"]),
                "STAFF_USER": STAFF_USER,
                "STAFF_PASSWORD_FILE": str(around.layout.tracking_password),
            }
        case "notifications":
            return {
                "SMTP__HOST": "127.0.0.1",
                "SMTP__PORT": str(around.ports["smtp"]),
                "SMTP__FROM": MAIL_FROM,
                # A local server answers at once, so a short lease lets a killed attempt be repeated soon.
                "MAIL__ATTEMPT_SECONDS": "3",
                "MAIL__LEASE_MARGIN_SECONDS": "1",
            }
        case _:
            return {}


def inbox_settings(partners: Sequence[str]) -> dict[str, str]:
    """The gateway's settings for reading the partners' inbox topics."""
    return {"TRADE_INBOXES": json.dumps([{"partner": code} for code in partners])}


def child(service: str, around: Surroundings, extra: Mapping[str, str], arguments: Sequence[str] = ()) -> Child:
    """The process of a service, not started."""
    log = around.layout.logs / f"{service}.log"
    settings = environment(service, around) | dict(extra)
    return Child(service, [sys.executable, "-m", service, *arguments], log=log, environment=settings, stop_seconds=20.0)


def mail_child(around: Surroundings) -> Child:
    """The process of the mail server, not started."""
    command = [sys.executable, "-m", "launcher.mail", str(around.ports["smtp"]), str(Path(around.layout.mail))]
    return Child("mail", command, log=around.layout.logs / "mail.log", environment=os.environ)
