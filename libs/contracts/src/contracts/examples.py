"""Builds an example of a payload from its fields: the skeleton of a golden payload, and input for tests.

Values are plausible where the field's name suggests them. Optional fields are filled too, so that a golden payload
shows everything that its version can carry.
"""

import types
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

_MOMENT = "2026-11-20T09:30:00+08:00"
_BY_NAME: dict[str, Any] = {
    "ucr": "6CN91370200MA3C000000001",
    "lrn": "QD-2026-000117",
    "declaration_id": "D-5f2b8c0d1e3a4b6c7d8e",
    "declaration_number": "370220261000000017",
    "enterprise_id": "KZ-BIN:190540000014",
    "scheme": "KZ-BIN",
    "country": "KZ",
    "origin": "CN",
    "dispatch_country": "CN",
    "destination_country": "KZ",
    "currency": "CNY",
    "amount": "655000.00",
    "unlocode": "CNTAO",
    "transport_document": "COSU6271234567",
    "container": "CSQU3054383",
    "containers": "CSQU3054383",
    "publisher": "port-qd",
    "submission_id": "port-qd-0001",
    "receipt_id": "R-7c9e6679f3a84c2a9d01",
    "commodity_code": "84295100",
    "unit": "KGM",
    "language": "ru",
}


def example(payload: type[BaseModel]) -> dict[str, Any]:
    """JSON values of every field of a payload.

    Raises:
        pydantic.ValidationError: a field has a rule that the example breaks; add a value for its name above.
    """
    values = {name: _of_field(name, field.annotation, payload) for name, field in payload.model_fields.items()}
    dumped: dict[str, Any] = payload.model_validate(values).model_dump(mode="json")
    return dumped


def _of_field(name: str, annotation: Any, owner: type[BaseModel]) -> Any:
    if name == "value" and "scheme" in owner.model_fields:
        return "190540000014"
    if name == "id" and "submitter" in owner.model_fields:
        return "PE-1f0c2d3e4b5a69788796a5b4"
    return _of_type(name, annotation)


def _of_type(name: str, annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_type(name, arguments[0])
    if origin in (Union, types.UnionType):
        return _of_type(name, next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return arguments[0]
    if origin in (tuple, list, frozenset, set):
        return [_of_type(name, arguments[0])]
    if origin is dict:
        return {"key": _of_type(name, arguments[1])}
    return _of_class(name, annotation)


def _of_class(name: str, annotation: Any) -> Any:
    if annotation is AwareDatetime or getattr(annotation, "__name__", "") == "datetime":
        return _MOMENT
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return example(annotation)
        if issubclass(annotation, Enum):
            return next(iter(annotation)).value
        plain = {bool: True, int: 1, Decimal: "1.5", float: 1.5, str: name.replace("_", "-")}
        for kind, value in plain.items():
            if issubclass(annotation, kind):
                return _BY_NAME.get(name, value)
    return name
