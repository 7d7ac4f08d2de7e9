"""A real broker that speaks TLS, knows users by SCRAM-SHA-512, and allows what its ACLs say and nothing else."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from authority import Authority
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

from chassis.settings import KafkaSettings
from contracts.kafka_rights import Right
from launcher import jars
from launcher.kafka import JarKafka
from launcher.ports import PortBlock
from launcher.progress import silent

SETTLED_SECONDS = 30


@dataclass(slots=True)
class SecuredBroker:
    """Two listeners: TLS with users, and a plain one, where anybody may do everything, as the user `operator` may."""

    address: str
    operator: str
    """The operator's address."""
    authority: Authority
    passwords: dict[str, str] = field(default_factory=dict)

    def settings(self, user: str, **other: object) -> KafkaSettings:
        """What a service is told so that it comes in as this user."""
        told = {
            "bootstrap_servers": self.address,
            "security_protocol": "SASL_SSL",
            "username": user,
            "password": SecretStr(self.passwords.get(user, "")),
            "ca_file": self.authority.ca,
            "session_timeout_ms": 6_000,
        }
        return KafkaSettings.model_validate(told | other)

    def register(self, rights: Mapping[str, Iterable[Right]]) -> None:
        """Make users with these rights."""
        admin = AdminClient({"bootstrap.servers": self.operator})
        upserts: list[UserScramCredentialAlteration] = []
        for user in rights:
            self.passwords.setdefault(user, secrets.token_urlsafe(18))
            info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            upserts.append(UserScramCredentialUpsertion(user, info, self.passwords[user].encode()))
        asked = [*admin.alter_user_scram_credentials(upserts).values()]
        acls = [
            _binding(user, right, operation)
            for user, given in rights.items()
            for right in given
            for operation in right.operations
        ]
        asked += admin.create_acls(acls).values() if acls else []
        for each in asked:
            each.result(SETTLED_SECONDS)


def _binding(user: str, right: Right, operation: str) -> AclBinding:
    kinds = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    named = {"DescribeConfigs": AclOperation.DESCRIBE_CONFIGS}.get(operation) or AclOperation[operation.upper()]
    return AclBinding(kinds[right.kind], right.name, pattern, f"User:{user}", "*", named, AclPermissionType.ALLOW)


@asynccontextmanager
async def secured_broker(folder: Path) -> AsyncIterator[SecuredBroker]:
    """Started for one test module."""
    if (missing := jars.what_is_missing()) is not None:
        pytest.skip(f"a broker with users and rights runs from jars here: {missing}")
    authority, ports = Authority(folder, "authority"), PortBlock()
    chosen = ports.choose(["kafka", "kafka-controller", "kafka-secured"], {})
    own = authority.issue("broker", "127.0.0.1").together()
    plain, secured = f"127.0.0.1:{chosen['kafka']}", f"127.0.0.1:{chosen['kafka-secured']}"
    settings = {
        "listeners": f"PLAINTEXT://{plain},SECURED://{secured},CONTROLLER://127.0.0.1:{chosen['kafka-controller']}",
        "advertised.listeners": f"PLAINTEXT://{plain},SECURED://{secured}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(own),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:operator",
    }
    broker = JarKafka(
        folder / "kafka",
        folder,
        port=chosen["kafka"],
        controller_port=chosen["kafka-controller"],
        settings=settings,
    )
    await broker.start(silent)
    try:
        yield SecuredBroker(secured, plain, authority)
    finally:
        await broker.stop()
        ports.release()
