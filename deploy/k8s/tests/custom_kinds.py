"""Strict validation of custom kinds by the definitions that their operators publish.

The definitions are not part of this repository: they lie in `shared/data/crds`, in a folder above it.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from manifests import REPOSITORY, Document

OF_THE_CLUSTER = ("apiVersion", "kind", "metadata")


def folder() -> Path:
    """Where the definitions are; the test is skipped where there are none."""
    for above in REPOSITORY.parents:
        if (found := above / "shared" / "data" / "crds").is_dir():
            return found
    pytest.skip("no definitions of custom kinds on this machine")


@cache
def schemas() -> dict[tuple[str, str], Any]:
    """(apiVersion, kind) → strict schema."""
    found: dict[tuple[str, str], Any] = {}
    for file in sorted(folder().glob("*.yaml")):
        for definition in yaml.safe_load_all(file.read_text()):
            for version in definition["spec"]["versions"] if definition else ():
                api = f"{definition['spec']['group']}/{version['name']}"
                schema = version["schema"]["openAPIV3Schema"]
                found[api, definition["spec"]["names"]["kind"]] = strict(schema, top=True)
    return found


def strict(schema: Any, *, top: bool = False) -> Any:
    """The schema with every object closed that names its fields, and is not open by its author's will."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items() if key not in ("description", "default", "example")}
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if top:
            closed["properties"] |= {key: {} for key in OF_THE_CLUSTER}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            closed.setdefault("additionalProperties", False)
    return closed


def faults(document: Document) -> Iterator[str]:
    """What is wrong with a document, a line each; an unknown kind is."""
    known = (document["apiVersion"], document["kind"])
    if known not in schemas():
        yield f"no such kind: {known[0]} {known[1]}"
        return
    for error in jsonschema.Draft202012Validator(schemas()[known]).iter_errors(document):
        yield f"{known[1]} {document['metadata']['name']}: {error.json_path}: {error.message}"
