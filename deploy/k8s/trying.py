"""The platform in a cluster, from outside: install the overlay `try`, run a command against it, take it away.

It acts on one context that must be named, and on one namespace, which it must have made itself. Keys are made here and
go in as Secrets through a pipe; the staff's private key stays here.

Usage: python deploy/k8s/trying.py --context NAME install | run COMMAND ... | remove
"""

import argparse
import base64
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chassis.rpc import STAFF, create_key
from contracts.topics import SERVICES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMESPACE = "trade"
OVERLAY = HERE / "overlays" / "try"
MARK = "trade.invalid/installed-by-trying"
DATABASE = "mongodb://database:27017/?directConnection=true"
READY_SECONDS = 600
_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class Refused(Exception):
    """Why it is not done, in one line."""


class Cluster:
    """kubectl, on one context and namespace."""

    def __init__(self, context: str) -> None:
        self._command = ["kubectl", "--context", context, "--namespace", NAMESPACE]

    def ask(self, *arguments: str, given: str | None = None) -> str:
        """What kubectl prints.

        Raises:
            Refused: it fails; with its last words.
        """
        done = subprocess.run(  # noqa: S603 - our own arguments
            [*self._command, *arguments], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Refused(f"kubectl {' '.join(arguments[:3])}: {done.stderr.strip()[-600:]}")
        return done.stdout

    @contextlib.contextmanager
    def forwarded(self, service: str, port: str) -> Iterator[int]:
        """A port of this machine that leads to a Service's port."""
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            [*self._command, "port-forward", f"service/{service}", f":{port}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if (match := _FORWARDED.match(line)) is None:
                raise Refused(f"no way to {service}:{port}: {line.strip() or 'kubectl port-forward ended'}")
            yield int(match[1])
        finally:
            process.terminate()
            process.wait()


class Keys:
    """What this machine keeps of an installation: every key, and the support desk's password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.password = folder / "tracking.password"
        self.description = folder / "platform.json"

    def make(self) -> None:
        """Make what is not there yet."""
        self.keys.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for issuer in (*SERVICES, STAFF):
            if not any(self.keys.glob(f"{issuer}.*.private.pem")):
                create_key(self.keys, issuer)
        if not self.password.exists():
            self.password.touch(mode=0o600)
            self.password.write_text(secrets.token_urlsafe(18) + "\n")

    def documents(self) -> list[dict[str, Any]]:
        """What the manifests name and do not hold: Secrets of each service, and everybody's public keys."""
        found = [_secret("tracking-staff", {"password": self.password.read_bytes()})]
        for service in SERVICES:
            private = {each.name: each.read_bytes() for each in self.keys.glob(f"{service}.*.private.pem")}
            found += [_secret(f"{service}-key", private), _secret(f"{service}-database", {"url": DATABASE.encode()})]
        public = {each.name: each.read_text() for each in self.keys.glob("*.public.pem")}
        return [*found, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata("public-keys"), "data": public}]


def _secret(name: str, content: Mapping[str, bytes]) -> dict[str, Any]:
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(name), "data": data}


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "labels": {"app.kubernetes.io/part-of": "trade"}}


def install(cluster: Cluster, keys: Keys) -> None:
    """Install, or bring what is installed up to date; returns when every service is ready.

    Raises:
        Refused: the namespace is somebody else's, or something does not get ready.
    """
    _check_namespace(cluster)
    keys.make()
    cluster.ask("apply", "-f", str(HERE / "namespace" / "namespace.yaml"))
    cluster.ask("annotate", "--overwrite", "namespace", NAMESPACE, f"{MARK}=true")
    cluster.ask("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": keys.documents()}))
    # A Job cannot be changed; what it makes stays.
    cluster.ask("delete", "jobs", "-l", "app.kubernetes.io/component=prepare", "--ignore-not-found", "--wait")
    cluster.ask("apply", "-k", str(OVERLAY))
    for name in ("kafka", "database", *SERVICES):
        cluster.ask("rollout", "status", f"statefulset/{name}", f"--timeout={READY_SECONDS}s")
        print(f"{name} is ready", flush=True)
    prepared = ("--for=condition=complete", "job", "-l", "app.kubernetes.io/component=prepare")
    cluster.ask("wait", *prepared, f"--timeout={READY_SECONDS}s")


def _check_namespace(cluster: Cluster) -> None:
    found = cluster.ask("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "json")
    if found and json.loads(found)["metadata"].get("annotations", {}).get(MARK) != "true":
        raise Refused(f"the namespace {NAMESPACE} is there and was not made by this command; nothing was changed")


def remove(cluster: Cluster) -> None:
    """Take the namespace away with everything in it.

    Raises:
        Refused: it is somebody else's.
    """
    _check_namespace(cluster)
    cluster.ask("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


def run(cluster: Cluster, keys: Keys, command: Sequence[str]) -> int:
    """Run a command that finds the platform by TRADE_PLATFORM, as long as ways lead to it; its exit status.

    Raises:
        Refused: no way leads to a Service.
    """
    with contextlib.ExitStack() as stack:

        def way(service: str, port: str) -> int:
            return stack.enter_context(cluster.forwarded(service, port))

        description = {
            "name": NAMESPACE,
            "kafka": "kafka:9092",
            "mongo_url": DATABASE,
            "database": "secantusdb",
            "keys_dir": str(keys.keys),
            "gateway_url": f"http://127.0.0.1:{way('gateway-http', 'http')}",
            "tracking_url": f"http://127.0.0.1:{way('tracking-http', 'http')}",
            "tracking_password_file": str(keys.password),
            "services": {
                name: {
                    "pid": 0,
                    "grpc": f"127.0.0.1:{way(name, 'grpc')}",
                    "admin": None,
                    "http": None,
                }
                for name in SERVICES
            },
        }
        keys.description.write_text(json.dumps(description, indent=2) + "\n")
        environment = os.environ | {"TRADE_PLATFORM": str(keys.description)}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the operator's own


def main() -> int:
    parser = argparse.ArgumentParser(description="The platform in a cluster, for trying it out.")
    parser.add_argument("--context", required=True, help="the context of kubectl's configuration to act on")
    parser.add_argument("--folder", type=Path, default=ROOT / ".run" / "cluster", help="where keys are kept")
    orders = parser.add_subparsers(dest="order", required=True)
    orders.add_parser("install", help="install, or bring up to date")
    orders.add_parser("remove", help="take everything away")
    running = orders.add_parser("run", help="run a command against the platform")
    running.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    cluster, keys = Cluster(given.context), Keys(given.folder.absolute())
    try:
        match given.order:
            case "install":
                install(cluster, keys)
            case "remove":
                remove(cluster)
            case _:
                return run(cluster, keys, given.command)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
