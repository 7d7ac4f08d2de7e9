"""Strimzi's KafkaTopics and KafkaUsers, from the topics table: who may do what with each topic follows from it.

Usage: python deploy/k8s/strimzi.py --write | --check
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from contracts.kafka_rights import Right, rights_of
from contracts.topics import EVENT_TOPICS, PARTITIONS, REPLICATION, SERVICES, Profile

COMPONENT = Path(__file__).resolve().parent / "components" / "strimzi"
CLUSTER = {"strimzi.io/cluster": "kafka"}
PROFILES = (Profile.CITY, Profile.ALL_MEMBERS)
_HEAD = "# Generated from the topics table by `make manifests`; not to be edited.\n"


def topics(profile: Profile) -> Iterator[dict[str, Any]]:
    """Every topic of the table, as wide as the profile says."""
    for topic in EVENT_TOPICS:
        yield {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": topic.name, "labels": CLUSTER},
            "spec": {
                "partitions": PARTITIONS[profile],
                "replicas": REPLICATION[profile],
                "config": topic.settings(profile),
            },
        }


def users() -> Iterator[dict[str, Any]]:
    """Every service as a user, with the rights that the table gives it and no other."""
    for service in SERVICES:
        yield {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": service, "labels": CLUSTER},
            "spec": {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {"type": "simple", "acls": [_rule(right) for right in rights_of(service)]},
                # The Secret is named as the component `kafka-credentials` names it.
                "template": {"secret": {"metadata": {"labels": {"app.kubernetes.io/part-of": "trade"}}}},
            },
        }


def _rule(right: Right) -> dict[str, Any]:
    pattern = "prefix" if right.prefixed else "literal"
    resource = {"type": right.kind, "name": right.name, "patternType": pattern}
    return {"resource": resource, "operations": list(right.operations), "host": "*"}


def files() -> dict[Path, str]:
    """What lies in the component, by path."""
    found = {COMPONENT / "users.yaml": _text(users())}
    for profile in PROFILES:
        found[COMPONENT / f"topics-{profile.value}" / "topics.yaml"] = _text(topics(profile))
    return found


def _text(documents: Iterator[dict[str, Any]]) -> str:
    return _HEAD + yaml.safe_dump_all(documents, sort_keys=False)


def main() -> int:
    wanted = files()
    if "--write" in sys.argv[1:]:
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return 0
    other = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in other:
        print(f"{path.relative_to(COMPONENT.parents[3])} is not what the topics table says; run `make manifests`")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
