"""Network policies allow the calls that the code makes, and no other: judged as a cluster would judge them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contracts.topics import SERVICES
from manifests import ALL, REPOSITORY, containers, name_of, of_kind, pod, where, workloads

GUARDED = [overlay for overlay in sorted(ALL) if any(of_kind(overlay, "NetworkPolicy"))]
Labels = Mapping[str, str]


def calls() -> set[tuple[str, str, str]]:
    """(caller, callee, port) of what the code does: `service.peer("…")`, tracking's look at what is parked, spans."""
    found = {(name, "tracking", "otlp") for name in SERVICES}
    for name in SERVICES:
        source = (REPOSITORY / "services" / name / "src" / name / "app.py").read_text()
        found |= {(name, peer, "grpc") for peer in re.findall(r'\.peer\("(\w+)"', source)}
    return found | {("tracking", name, "grpc") for name in SERVICES if name != "tracking"}


def fits(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether a label selector chooses these labels."""
    by_label = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    rules = selector.get("matchExpressions", ())
    assert all(rule["operator"] == "In" for rule in rules), "the test knows no other operator"
    return by_label and all(labels.get(rule["key"]) in rule["values"] for rule in rules)


def rules(overlay: str, labels: Labels, direction: str) -> Iterator[Mapping[str, Any]]:
    """What policies of one direction say of a pod."""
    for policy in of_kind(overlay, "NetworkPolicy"):
        spec = policy["spec"]
        if fits(spec["podSelector"], labels) and direction.title() in spec["policyTypes"]:
            yield from spec.get(direction, ())


def allowed(overlay: str, own: Labels, other: Labels, direction: str, port: str, number: int) -> bool:
    """Whether a pod may send to another (`egress`), or be sent to (`ingress`), at a port of the receiver's."""
    peers = "to" if direction == "egress" else "from"
    for rule in rules(overlay, own, direction):
        met = peers not in rule or any(
            "namespaceSelector" not in peer and fits(peer["podSelector"], other) for peer in rule[peers]
        )
        if met and any(_at(each, port, number) for each in rule["ports"]):
            return True
    return False


def _at(rule: Mapping[str, Any], port: str, number: int) -> bool:
    if isinstance(rule["port"], str):
        return rule["port"] == port
    return bool(rule["port"] <= number <= rule.get("endPort", rule["port"]))


@pytest.mark.parametrize("overlay", GUARDED)
def test_services_reach_each_other_as_the_code_does_and_not_otherwise(overlay: str) -> None:
    pods = {name_of(each): each["spec"]["template"] for each in workloads(overlay, "service")}
    labels = {name: template["metadata"]["labels"] for name, template in pods.items()}
    found = set()
    for callee, template in pods.items():
        for port in template["spec"]["containers"][0]["ports"]:
            for caller in pods:
                given = port["name"], port["containerPort"]
                if allowed(overlay, labels[caller], labels[callee], "egress", *given) and allowed(
                    overlay, labels[callee], labels[caller], "ingress", *given
                ):
                    found.add((caller, callee, port["name"]))
    assert found == calls()


@pytest.mark.parametrize("overlay", GUARDED)
def test_every_pod_is_closed_both_ways_unless_a_policy_opens_it(overlay: str) -> None:
    for each in workloads(overlay):
        labels = each["spec"]["template"]["metadata"]["labels"]
        closed = {
            direction
            for policy in of_kind(overlay, "NetworkPolicy")
            if fits(policy["spec"]["podSelector"], labels)
            for direction in policy["spec"]["policyTypes"]
        }
        assert closed == {"Ingress", "Egress"}, where(overlay, each)


@pytest.mark.parametrize("overlay", GUARDED)
def test_every_pod_reaches_names_broker_and_database(overlay: str) -> None:
    for each in [*workloads(overlay, "service"), *workloads(overlay, "prepare")]:
        labels = each["spec"]["template"]["metadata"]["labels"]
        for number in (53, 9092, 9093, 27017):
            assert allowed(overlay, labels, {}, "egress", "", number), f"{where(overlay, each)}: {number}"
        assert not allowed(overlay, labels, {}, "egress", "", 443), where(overlay, each)


@pytest.mark.parametrize("overlay", GUARDED)
def test_metrics_are_read_from_a_namespace_that_is_marked_and_from_no_pod_of_ours(overlay: str) -> None:
    for each in workloads(overlay, "service"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        opened = [
            rule for rule in rules(overlay, labels, "ingress") if any(port["port"] == "admin" for port in rule["ports"])
        ]
        assert [list(peer) for rule in opened for peer in rule["from"]] == [["namespaceSelector"]], where(overlay, each)


def test_overlays_for_production_are_guarded() -> None:
    assert set(GUARDED) == {"city", "city-strimzi", "all-members"}
    for overlay in GUARDED:
        for each in workloads(overlay, "service"):
            assert pod(each)["containers"] == containers(each)
