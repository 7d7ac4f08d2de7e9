"""A fault of a text, as a value: a stable code, the text found, the form expected."""

from dataclasses import dataclass

SHOWN = 200
"""Characters of a value that an error quotes."""


@dataclass(frozen=True, slots=True)
class TextFault:
    """Why a text cannot be used."""

    code: str
    """Stable, lower case with dots; with a door's prefix it is a key of the text catalogue."""
    found: str = ""
    """The faulty part of the text, made visible."""


class NotOfItsForm(ValueError):
    """The text does not match the grammar."""

    def __init__(self, code: str, text: str, expected: str) -> None:
        super().__init__(f"{shortened(text)!r} is not a {expected}")
        self.code = code
        self.text = text
        self.expected = expected


def shortened(text: str) -> str:
    """A text as quoted in an error: a line or two at most."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
