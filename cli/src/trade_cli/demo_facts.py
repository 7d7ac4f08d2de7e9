"""The facts of the demonstration, read from `demo_shipment.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from trade_cli.enrolment import Enterprise, Partner


@dataclass(frozen=True, slots=True)
class Listing:
    """A project or a mandate, and the firm that submits it."""

    firm: str
    reference: str
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    declaration: Mapping[str, Any]
    enterprises: tuple[Enterprise, ...]
    partners: tuple[Partner, ...]
    project: Listing
    mandate: Listing

    @property
    def declarant(self) -> str:
        """The number of the firm that lodges."""
        number = next(each["identifier"] for each in self.declaration["parties"] if each["role"] == "declarant")
        return f"{number['scheme']}:{number['value']}"

    @property
    def languages(self) -> frozenset[str]:
        """The languages of the notices to the firms of this story."""
        return frozenset(each.language for each in self.enterprises)


@cache
def facts() -> Facts:
    """The demonstration's facts."""
    read = tomllib.loads((files("trade_cli") / "demo_shipment.toml").read_text(encoding="utf-8"))
    return Facts(
        declaration=read["declaration"],
        enterprises=tuple(Enterprise(**{**each, "roles": tuple(each["roles"])}) for each in read["enterprises"]),
        partners=tuple(_partner(each) for each in read["partners"]),
        project=Listing(**read["project"]),
        mandate=Listing(**read["mandate"]),
    )


def _partner(read: Mapping[str, Any]) -> Partner:
    granted = {kind: tuple(read.get(kind, ())) for kind in ("places", "offices", "agencies", "carriers")}
    return Partner(code=read["code"], role=read["role"], **granted)
