"""An enterprise's number in normal form: scheme and value without blanks, in upper case.

The registry checks whether a number is valid in its scheme; here all spellings of a number become one.
"""

from dataclasses import dataclass

from values.faults import TextFault

SEPARATED = frozenset({"BY", "CN", "IN", "IR", "KG", "KZ", "LEI", "PK", "RU", "TJ", "UZ"})
"""Countries (and LEI) whose numbers may be written with insignificant dashes: `1234567-8`."""
_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_CYRILLIC_LETTERS_OF_UNP = str.maketrans("АВСЕНКМОРТавсенкморт", "ABCEHKMOPTABCEHKMOPT")
"""Belarus prints its numbers with Cyrillic letters that look like these."""

NOT_ASCII = "identifier.not_ascii"
EMPTY = "identifier.empty"


def upper(text: str) -> str:
    """Upper case for ASCII letters only, so that no letter of another script becomes one."""
    return text.translate(_UPPER)


def compact(text: str) -> str:
    """The text without white space, in upper case."""
    return upper("".join(text.split()))


@dataclass(frozen=True, slots=True)
class Identifier:
    """One number of an enterprise, written `SCHEME:VALUE`."""

    scheme: str
    value: str

    def __post_init__(self) -> None:
        scheme, value = compact(self.scheme), compact(self.value)
        if scheme.partition("-")[0] in SEPARATED:
            value = value.replace("-", "")
        if scheme == "BY-UNP":
            value = value.translate(_CYRILLIC_LETTERS_OF_UNP)
        object.__setattr__(self, "scheme", scheme)
        object.__setattr__(self, "value", value)

    @classmethod
    def parse(cls, written: str) -> "Identifier":
        """Parse `SCHEME:VALUE`; without a colon, the whole text is the scheme."""
        scheme, _, value = written.partition(":")
        return cls(scheme, value)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"

    def fault(self) -> tuple[str, TextFault] | None:
        """The faulty field, `scheme` or `value`, and its fault."""
        for name, text in (("scheme", self.scheme), ("value", self.value)):
            if not text:
                return name, TextFault(EMPTY)
            strange = next((sign for sign in text if not ("!" <= sign <= "~")), None)
            if strange is not None:
                return name, TextFault(NOT_ASCII, f"U+{ord(strange):04X}")
        if ":" in self.scheme:
            return "scheme", TextFault(NOT_ASCII, ":")
        return None
