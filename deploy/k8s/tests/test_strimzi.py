"""Kafka by Strimzi: valid to the letter, and every right follows from the topics table."""

import copy
from typing import Any

import pytest

import strimzi
from contracts.topics import EVENT_TOPICS, PARTITIONS, REPLICATION, SERVICES, Profile
from custom_kinds import faults
from manifests import ALL, Document, environment, named, of_kind, pod, where, workloads

OVERLAYS = [overlay for overlay in sorted(ALL) if any(of_kind(overlay, "Kafka"))]


def custom(overlay: str) -> list[Document]:
    return [each for each in ALL[overlay] if each["apiVersion"].startswith("kafka.strimzi.io/")]


def test_what_is_generated_is_what_the_topics_table_says() -> None:
    for path, text in strimzi.files().items():
        assert path.read_text() == text, f"{path}: run `make manifests`"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_custom_document_is_valid_to_the_letter(overlay: str) -> None:
    assert custom(overlay)
    assert [fault for each in custom(overlay) for fault in faults(each)] == []


def test_an_unknown_field_of_a_custom_kind_is_refused_however_deep() -> None:
    user = copy.deepcopy(next(of_kind(OVERLAYS[0], "KafkaUser")))
    user["spec"]["authorization"]["acls"][0]["operation"] = "All"
    assert any("'operation' was unexpected" in fault for fault in faults(user))
    assert list(faults(user | {"kind": "KafkaUsers"})) == ["no such kind: kafka.strimzi.io/v1 KafkaUsers"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_topics_are_as_the_table_says_for_the_profile_that_services_are_told(overlay: str) -> None:
    (profile,) = {environment(overlay, each)["TRADE_TOPIC_PROFILE"] for each in workloads(overlay, "service")}
    for topic in EVENT_TOPICS:
        made = named(overlay, "KafkaTopic", topic.name)
        assert made is not None
        assert made["spec"]["partitions"] == PARTITIONS[Profile(profile)]
        assert made["spec"]["replicas"] == REPLICATION[Profile(profile)]
        assert made["spec"]["config"] == topic.settings(Profile(profile))


def rights(user: Document) -> dict[tuple[str, str], set[str]]:
    acls: list[Any] = user["spec"]["authorization"]["acls"]
    return {(each["resource"]["type"], each["resource"]["name"]): set(each["operations"]) for each in acls}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_service_may_write_where_the_table_lets_it_and_nowhere_else(overlay: str) -> None:
    users = {each["metadata"]["name"]: rights(each) for each in of_kind(overlay, "KafkaUser")}
    assert set(users) == set(SERVICES)
    for topic in EVENT_TOPICS:
        writers = {name for name, given in users.items() if "Write" in given.get(("topic", topic.name), ())}
        readers = {name for name, given in users.items() if "Read" in given.get(("topic", topic.name), ())}
        assert writers == set(topic.writers)
        assert readers == {*topic.readers, topic.owner}
    for name, given in users.items():
        assert {group for kind, group in given if kind == "group"} <= {name}, "no service reads as another"
        assert "cluster" not in {kind for kind, _ in given}
        assert not {"All", "Alter", "Delete", "AlterConfigs"} & set().union(*given.values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_services_are_told_of_kafka_is_what_strimzi_makes(overlay: str) -> None:
    kafka = named(overlay, "Kafka", "kafka")
    assert kafka is not None
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    prefix = kafka["spec"]["entityOperator"]["userOperator"]["secretPrefix"]
    for each in [*workloads(overlay, "service"), *workloads(overlay, "prepare")]:
        given, told = environment(overlay, each), where(overlay, each)
        assert given["TRADE_KAFKA__BOOTSTRAP_SERVERS"] == f"kafka-kafka-bootstrap:{listener['port']}", told
        assert given["TRADE_KAFKA__SECURITY_PROTOCOL"] == "SASL_SSL", told
        user = given["TRADE_KAFKA__USERNAME"]
        (volume,) = [volume for volume in pod(each)["volumes"] if volume["name"] == "kafka"]
        secrets = [source["secret"]["name"] for source in volume["projected"]["sources"]]
        assert secrets == [f"{prefix}{user}", "kafka-cluster-ca-cert"], told
