"""`platform.json`: the addresses, folders and processes of a running platform, for its clients."""

import json
import os
from collections.abc import Mapping
from typing import Any

from launcher import services
from launcher.failures import explain
from launcher.infrastructure import Infrastructure
from launcher.layout import Layout
from launcher.processes import Child
from launcher.services import Surroundings


def describe(
    around: Surroundings,
    servers: Infrastructure,
    children: Mapping[str, Child],
    mail: Child | None,
    restarts: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Every address, folder and process; `restarts` are those of parts that died."""
    layout = around.layout
    return {
        "name": layout.name,
        "kafka": around.bootstrap_servers,
        "mongo_url": around.mongo_url,
        "database": servers.database.kind,
        "keys_dir": str(layout.keys),
        "gateway_url": f"http://{around.address('gateway.http')}",
        "tracking_url": f"http://{around.address('tracking.http')}",
        "tracking_user": services.STAFF_USER,
        "tracking_password_file": str(layout.tracking_password),
        "otlp": around.address("tracking.otlp"),
        "smtp": {"host": "127.0.0.1", "port": around.ports["smtp"]},
        "mail_dir": str(layout.mail),
        "logs_dir": str(layout.logs),
        "launcher_pid": os.getpid(),
        "services": {name: _service(name, child, around) for name, child in children.items()},
        "parts": _parts(around, servers, mail),
        "restarts": restarts,
    }


def write_description(layout: Layout, description: Mapping[str, Any]) -> None:
    """Write the file atomically.

    Raises:
        LauncherError: it cannot be written.
    """
    draft = layout.description.with_suffix(".draft")
    try:
        draft.write_text(json.dumps(description, indent=2) + "\n")
        draft.rename(layout.description)
    except OSError as error:
        raise explain(error) from error


def _service(name: str, child: Child, around: Surroundings) -> dict[str, Any]:
    return {
        "pid": child.pid or 0,
        "grpc": around.address(f"{name}.grpc"),
        "admin": f"http://{around.address(f'{name}.admin')}",
        "http": f"http://{around.address(f'{name}.http')}" if name in services.DOORS else None,
    }


def _parts(around: Surroundings, servers: Infrastructure, mail: Child | None) -> dict[str, Any]:
    """The other parts; one that runs in a container, or was given, has no process here."""
    kafka, database = servers.kafka, servers.database
    return {
        "kafka": {"pid": kafka.pid, "kind": kafka.kind, "address": around.bootstrap_servers},
        "database": {"pid": database.pid, "kind": database.kind, "address": around.mongo_url},
        "mail": {"pid": mail.pid if mail is not None else None, "kind": "mail", "address": around.address("smtp")},
        "launcher": {"pid": os.getpid(), "kind": "launcher", "address": str(around.layout.folder)},
    }
