"""Strimzi's KafkaTopics and KafkaUsers, from the topics table: who may do what with each topic follows from it.

Usage: python deploy/k8s/strimzi.py --write | --check
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from contracts.topics import EVENT_TOPICS, PARTITIONS, REPLICATION, SERVICES, Profile, Topic

COMPONENT = Path(__file__).resolve().parent / "components" / "strimzi"
CLUSTER = {"strimzi.io/cluster": "kafka"}
PROFILES = (Profile.CITY, Profile.ALL_MEMBERS)
_HEAD = "# Generated from the topics table by `make manifests`; not to be edited.\n"
_SEE = ["Describe", "DescribeConfigs"]


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
                "authorization": {"type": "simple", "acls": list(_rights(service))},
                # The Secret is named as the component `kafka-credentials` names it.
                "template": {"secret": {"metadata": {"labels": {"app.kubernetes.io/part-of": "trade"}}}},
            },
        }


def _rights(service: str) -> Iterator[dict[str, Any]]:
    for topic in EVENT_TOPICS:
        if operations := operations_on(topic, service):
            yield _rule({"type": "topic", "name": topic.name, "patternType": "literal"}, operations)
    if service == "gateway":
        # The inbox of each partner that writes to a topic of its own; it makes them, and alone reads them.
        yield _rule({"type": "topic", "name": "inbox.", "patternType": "prefix"}, [*_SEE, "Read", "Create"])
    if any(service in topic.readers for topic in EVENT_TOPICS):
        yield _rule({"type": "group", "name": service, "patternType": "literal"}, ["Describe", "Read"])


def operations_on(topic: Topic, service: str) -> list[str]:
    """What a service does with a topic; an owner reads its own facts to rebuild a lost database."""
    found = []
    if service in topic.writers:
        found.append("Write")
    if service in topic.readers or service == topic.owner:
        found.append("Read")
    if service == topic.owner:
        found.append("Create")
    return [*_SEE, *found] if found else []


def _rule(resource: dict[str, str], operations: list[str]) -> dict[str, Any]:
    return {"resource": resource, "operations": sorted(operations), "host": "*"}


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
