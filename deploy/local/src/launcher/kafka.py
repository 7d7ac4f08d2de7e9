"""Apache Kafka as one KRaft node: from its jars, in a container, or a given one from the environment."""

import asyncio
import base64
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from launcher import jars
from launcher.containers import ContainerServer, container, docker_runs
from launcher.failures import LauncherError, explain
from launcher.processes import Child
from launcher.progress import Report, step
from launcher.servers import Server, given

START_SECONDS = 90.0
IMAGE = "apache/kafka:4.1.0"

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # Members are static, so that a killed one is back at once; the low minimum lets a test time one out.
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    # A killed broker comes back with the same id, so its old session must end soon.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "4194304",
}


class JarKafka:
    """A broker started with `java` from the cached jars; its data is in `folder`.

    Args:
        settings: further settings of the broker, which go before ours.
    """

    kind = "kafka-jars"

    def __init__(
        self,
        folder: Path,
        logs: Path,
        *,
        port: int,
        controller_port: int,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._logs = logs
        self._port = port
        self._controller_port = controller_port
        self._further = dict(settings or {})
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    async def start(self, report: Report) -> None:
        if self.alive:
            return
        java = jars.find_java()
        if java is None:
            raise LauncherError(f"Missing: {jars.what_is_missing()}.")
        libraries = await jars.fetch_jars(report, self._logs / "maven.log")
        async with step(report, "Starting Kafka"):
            settings = self._write_settings()
            if not (self._folder / "data" / "meta.properties").exists():
                await self._format(java, libraries, settings)
            self._child = self._java(java, libraries, "kafka.Kafka", str(settings))
            self._child.start()
            await self._child.until(lambda: answers(self.address), seconds=START_SECONDS)

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        if self._child is not None:
            await self._child.kill()

    def _write_settings(self) -> Path:
        settings = SETTINGS | {
            "listeners": f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller_port}",
            "log.dirs": str(self._folder / "data"),
            **self._further,
        }
        file = self._folder / "server.properties"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        except OSError as error:
            raise explain(error) from error
        return file

    async def _format(self, java: Path, libraries: Path, settings: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # A leading dash would be read as an option.
        cluster = f"k{cluster[1:]}"
        arguments = ["format", "--standalone", "-t", cluster, "-c", str(settings)]
        child = self._java(java, libraries, "kafka.tools.StorageTool", *arguments)
        child.start()
        try:
            if await child.finished() != 0:
                raise LauncherError(f"Kafka's data folder could not be prepared: {child.last_words()}")
        finally:
            await child.kill()

    def _java(self, java: Path, libraries: Path, program: str, *arguments: str) -> Child:
        machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN"]
        command = [str(java), *machine, "-cp", f"{libraries}/*", program, *arguments]
        return Child("Kafka", command, log=self._logs / "kafka.log", environment=os.environ)


async def answers(address: str) -> bool:
    """Whether a broker at that address answers with its cluster's metadata."""
    if not await listens(address):  # otherwise the client would log an error at every try
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


async def listens(address: str) -> bool:
    """Whether an address accepts connections."""
    host, _, port = address.partition(",")[0].rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


def in_container(folder: Path, *, port: int) -> ContainerServer:
    """Apache Kafka's own image with the settings of the broker that runs from jars."""
    settings = SETTINGS | {
        "listeners": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": "1@127.0.0.1:9093",
        "log.dirs": "/data",
    }
    environment = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in settings.items()}
    address = f"127.0.0.1:{port}"
    return ContainerServer(
        "Kafka", address, lambda: container(IMAGE, folder, "/data", port, port, environment), answers
    )


def choose(mode: str, folder: Path, logs: Path, *, port: int, controller_port: int) -> Server:
    """The broker for this machine: the given one, otherwise from jars, otherwise in a container.

    Args:
        mode: auto, local, containers or external.

    Raises:
        LauncherError: none can run; says what to install.
    """
    if server := given("Kafka", "KAFKA_BOOTSTRAP_SERVERS", mode):
        return server
    missing = jars.what_is_missing()
    if mode != "containers" and missing is None:
        return JarKafka(folder, logs, port=port, controller_port=controller_port)
    if mode != "local" and docker_runs():
        return in_container(folder, port=port)
    if mode == "containers":
        raise LauncherError("Docker does not run here: start it, or use --infra=local.")
    raise LauncherError(f"Kafka cannot start. Missing: {missing}; or start Docker, or set KAFKA_BOOTSTRAP_SERVERS.")
