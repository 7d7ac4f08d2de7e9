"""A place that a partner may report from, in normal form: a UN/LOCODE, and one facility of it or every one."""

from dataclasses import dataclass

from values.identifiers import compact


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    """The code without blanks, in upper case; the facility with single blanks within, none around."""

    unlocode: str
    facility: str | None = None
    """None: every facility of the place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unlocode", compact(self.unlocode))
        object.__setattr__(self, "facility", " ".join((self.facility or "").split()) or None)

    def __str__(self) -> str:
        return self.unlocode if self.facility is None else f"{self.unlocode}/{self.facility}"
