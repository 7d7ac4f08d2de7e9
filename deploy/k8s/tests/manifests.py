"""What the tests of manifests look at: every document of every rendered overlay, and the pods in it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from render import RENDERED, overlays

Document = dict[str, Any]
Pod = Mapping[str, Any]

REPOSITORY = Path(__file__).resolve().parents[3]
WORKLOADS = ("StatefulSet", "Deployment", "Job")

ALL: dict[str, list[Document]] = {
    overlay: [each for each in yaml.safe_load_all((RENDERED / f"{overlay}.yaml").read_text()) if each]
    for overlay in overlays()
}
"""Overlay → its documents."""


def of_kind(overlay: str, *kinds: str) -> Iterator[Document]:
    return (each for each in ALL[overlay] if each["kind"] in kinds)


def named(overlay: str, kind: str, name: str) -> Document | None:
    return next((each for each in of_kind(overlay, kind) if each["metadata"]["name"] == name), None)


def workloads(overlay: str, component: str | None = None) -> Iterator[Document]:
    """Everything that runs pods; with `component` only that label's: service, prepare or server."""
    for each in of_kind(overlay, *WORKLOADS):
        if component is None or component_of(each) == component:
            yield each


def component_of(workload: Document) -> str:
    return str(workload["metadata"]["labels"]["app.kubernetes.io/component"])


def name_of(workload: Document) -> str:
    return str(workload["metadata"]["labels"]["app.kubernetes.io/name"])


def pod(workload: Document) -> Pod:
    spec: Pod = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Document) -> list[Mapping[str, Any]]:
    return [*pod(workload).get("initContainers", ()), *pod(workload)["containers"]]


def where(overlay: str, workload: Document) -> str:
    """For the reader of a failed test."""
    return f"{overlay}: {workload['kind']} {workload['metadata']['name']}"


def environment(overlay: str, workload: Document) -> dict[str, str]:
    """The settings that a workload's first container is given: by ConfigMaps, then by name ("" for a reference).

    Raises:
        AssertionError: it names a ConfigMap that the overlay does not have.
    """
    container = pod(workload)["containers"][0]
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        settings = named(overlay, "ConfigMap", source["configMapRef"]["name"])
        assert settings is not None, f"{where(overlay, workload)} names {source}"
        found |= settings.get("data") or {}
    return found | {each["name"]: each.get("value", "") for each in container.get("env", ())}
