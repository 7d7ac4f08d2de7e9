"""Every rendered document is one that the cluster's API knows, field by field; nothing of it is out of date."""

import copy

import kubernetes_validate
import pytest

import render
from manifests import ALL, Document

KUBERNETES = "1.36"
CUSTOM = {"kafka.strimzi.io/v1"}
"""Kinds of operators; `test_strimzi.py` validates them."""


def validate(document: Document) -> None:
    """Refuse an unknown kind, an unknown field and a wrong value.

    Raises:
        kubernetes_validate.SchemaNotFoundError: no such kind.
        kubernetes_validate.ValidationError: it does not fit its kind.
    """
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_what_is_rendered_is_what_the_sources_give() -> None:
    assert render.faults() == []


@pytest.mark.parametrize("overlay", sorted(ALL))
def test_every_document_is_valid_to_the_letter(overlay: str) -> None:
    for document in ALL[overlay]:
        if document["apiVersion"] not in CUSTOM:
            validate(document)


def a_stateful_set() -> Document:
    return copy.deepcopy(next(each for each in ALL["try"] if each["kind"] == "StatefulSet"))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        validate(a_stateful_set() | {"kind": "StatefulSets"})


def test_an_unknown_field_is_refused_however_deep() -> None:
    document = a_stateful_set()
    document["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGett"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="httpGett"):
        validate(document)


@pytest.mark.parametrize("overlay", sorted(ALL))
def test_no_two_documents_have_one_name(overlay: str) -> None:
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in ALL[overlay]]
    assert len(names) == len(set(names))
