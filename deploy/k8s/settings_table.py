"""The table of settings, from the code: what each variable is, its default, and which services read it.

Usage: python deploy/k8s/settings_table.py --write | --check
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chassis.settings import ServiceSettings
from contracts.topics import SERVICES

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "runbooks" / "settings.md"

_HEAD = """# Settings

Every setting of every service, generated from the code (`make settings`). A variable that ends with `__…` stands for
several. One with `_FILE` beside it can come from a file, and secrets should.

"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment."""

    variable: str
    default: str
    description: str
    secret: bool = False
    several: bool = False
    """Whether it is the beginning of a variable: one for each entry of a table."""


def settings_of(service: str) -> dict[str, Setting]:
    """Every variable that a service reads, by its name."""
    return {each.variable: each for each in _variables(_model(service), "TRADE_", None)}


def knows(service: str, variable: str) -> bool:
    """Whether a service reads a variable, from the environment or as the name of a file."""
    known = settings_of(service)
    if variable in known:
        return not known[variable].several
    if variable.endswith("_FILE") and (named := known.get(variable.removesuffix("_FILE"))):
        return named.secret
    return any(each.several and variable.startswith(f"{each.variable}__") for each in known.values())


@cache
def _model(service: str) -> type[ServiceSettings]:
    module = import_module(f"{service}.settings")
    model: type[ServiceSettings] = getattr(module, f"{service.title()}Settings")
    return model


def _variables(model: type[BaseModel], prefix: str, given: BaseModel | None) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        variable = prefix + _name(name, field).upper()
        default = getattr(given, name) if given is not None else field.default
        nested = next((each for each in _types(field) if isinstance(each, type) and issubclass(each, BaseModel)), None)
        if nested is not None and get_origin(field.annotation) is not tuple:
            yield from _variables(nested, f"{variable}__", default if isinstance(default, BaseModel) else None)
            continue
        yield Setting(
            variable,
            _shown(default, field),
            " ".join((field.description or _inherited(name)).split()),
            secret=SecretStr in _types(field),
            several=get_origin(field.annotation) is dict,
        )


def _inherited(name: str) -> str:
    """What the chassis says of a field that a service gives a default of its own."""
    field = ServiceSettings.model_fields.get(name)
    return (field.description if field is not None else None) or ""


def _types(field: FieldInfo) -> tuple[Any, ...]:
    return (field.annotation, *get_args(field.annotation))


def _name(name: str, field: FieldInfo) -> str:
    """The name in the environment: the first of its aliases, where it has some."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else name


def _shown(default: object, field: FieldInfo) -> str:
    if default is PydanticUndefined:
        if field.default_factory is None:
            return "must be given"
        return "the host's name" if field.annotation is str else ""
    match default:
        case None | "" | ():
            return ""
        case SecretStr():
            return default.get_secret_value()
        case Enum():
            return str(default.value)
        case bool():
            return str(default).lower()
        case tuple():
            return ",".join(map(str, default))
    return str(default)


def table() -> str:
    """The page."""
    of = {service: settings_of(service) for service in SERVICES}
    everywhere = [name for name in of[SERVICES[0]] if all(name in of[each] for each in SERVICES)]
    shared = {name: of[SERVICES[0]][name] for name in everywhere}
    shared["TRADE_NAME"] = replace(shared["TRADE_NAME"], default="the service's own")
    text = _HEAD + "## Of every service\n\n" + _rows(shared)
    for service in SERVICES:
        if own := {name: each for name, each in of[service].items() if name not in everywhere}:
            text += f"\n## Of {service}\n\n" + _rows(own)
    return text


def _rows(settings: Mapping[str, Setting]) -> str:
    rows = "| variable | default | meaning |\n|---|---|---|\n"
    for each in settings.values():
        names = f"`{each.variable}__…`" if each.several else f"`{each.variable}`"
        names += ", `…_FILE`" if each.secret else ""
        default = f"`{each.default}`" if each.default and " " not in each.default else each.default
        rows += f"| {names} | {default} | {each.description.replace('|', '/')} |\n"
    return rows


def main() -> int:
    if "--write" in sys.argv[1:]:
        TABLE.write_text(table())
        return 0
    if not TABLE.exists() or TABLE.read_text() != table():
        print(f"{TABLE.relative_to(ROOT)} is not what the code says; run `make settings`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
