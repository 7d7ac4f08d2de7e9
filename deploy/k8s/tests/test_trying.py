"""The command that installs the overlay `try`: it makes what the manifests name, and touches nothing of others."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.rpc import STAFF
from contracts.topics import SERVICES
from manifests import Document, named, of_kind, pod, workloads
from trying import MARK, Cluster, Keys, Refused, install, remove


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "cluster")
    made.make()
    return made


def references() -> Iterator[tuple[str, str]]:
    """(kind, name) of everything that pods of the overlay take in."""
    for workload in workloads("try"):
        for container in pod(workload)["containers"]:
            for each in container.get("envFrom", ()):
                yield "ConfigMap", each["configMapRef"]["name"]
        for volume in pod(workload)["volumes"]:
            for source in volume.get("projected", {}).get("sources", [volume]):
                if "secret" in source:
                    yield "Secret", source["secret"].get("name") or source["secret"]["secretName"]
                if "configMap" in source:
                    yield "ConfigMap", source["configMap"]["name"]


def test_everything_that_the_manifests_name_is_there_or_made(keys: Keys) -> None:
    made = {(each["kind"], each["metadata"]["name"]) for each in keys.documents()}
    missing = {each for each in references() if each not in made and named("try", *each) is None}
    assert missing == set()
    assert made <= set(references()), "nothing is made that nobody takes in"


def test_a_private_key_goes_to_its_owner_alone_and_the_staffs_to_nobody(keys: Keys) -> None:
    holders: dict[str, set[str]] = {}
    for document in keys.documents():
        for file in document["data"]:
            if file.endswith(".private.pem"):
                holders.setdefault(file.split(".")[0], set()).add(document["metadata"]["name"])
    assert holders == {service: {f"{service}-key"} for service in SERVICES}
    (public,) = [each for each in keys.documents() if each["metadata"]["name"] == "public-keys"]
    assert {file.split(".")[0] for file in public["data"]} == {*SERVICES, STAFF}
    assert all(file.endswith(".public.pem") and "PRIVATE" not in text for file, text in public["data"].items())


def test_keys_are_made_once(keys: Keys) -> None:
    before = {each.name: each.read_bytes() for each in keys.keys.iterdir()}
    keys.make()
    assert {each.name: each.read_bytes() for each in keys.keys.iterdir()} == before


class Recorded(Cluster):
    """A cluster whose one namespace is as a test says; what would change it is kept."""

    def __init__(self, namespace: Document | None) -> None:
        super().__init__("nowhere")
        self.namespace = namespace
        self.asked: list[tuple[str, ...]] = []
        self.given: list[str] = []

    def ask(self, *arguments: str, given: str | None = None) -> str:
        if arguments[:2] == ("get", "namespace"):
            return json.dumps(self.namespace) if self.namespace else ""
        self.asked.append(arguments)
        self.given += [given] if given else []
        return ""


def test_a_namespace_that_it_did_not_make_is_left_alone(keys: Keys) -> None:
    cluster = Recorded({"metadata": {"name": "trade", "annotations": {}}})
    with pytest.raises(Refused, match="was not made by this command; nothing was changed"):
        install(cluster, keys)
    with pytest.raises(Refused, match="was not made by this command"):
        remove(cluster)
    assert cluster.asked == []


@pytest.mark.parametrize("namespace", [None, {"metadata": {"name": "trade", "annotations": {MARK: "true"}}}])
def test_secrets_go_in_through_a_pipe_and_every_service_is_waited_for(keys: Keys, namespace: Document | None) -> None:
    cluster = Recorded(namespace)
    install(cluster, keys)
    password = keys.password.read_bytes()
    arguments = " ".join(" ".join(each) for each in cluster.asked)
    assert password.decode().strip() not in arguments
    assert base64.b64encode(password).decode() in cluster.given[0]
    waited = {each[2] for each in cluster.asked if each[:2] == ("rollout", "status")}
    assert waited == {f"statefulset/{each['metadata']['name']}" for each in of_kind("try", "StatefulSet")}
