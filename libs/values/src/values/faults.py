"""What is wrong with a text, as a value: a stable code, what was found, what is asked for."""

from dataclasses import dataclass

SHOWN = 200
"""Characters of a value that an error repeats."""


@dataclass(frozen=True, slots=True)
class TextFault:
    """Why a text cannot be used."""

    code: str
    """Stable, lower case with dots; a key of the text catalogue behind a door's own prefix."""
    found: str = ""
    """The part of the text that is at fault, made visible."""


class NotOfItsForm(ValueError):
    """A text is none of its grammar."""

    def __init__(self, code: str, text: str, expected: str) -> None:
        super().__init__(f"{shortened(text)!r} is no {expected}")
        self.code = code
        self.text = text
        self.expected = expected


def shortened(text: str) -> str:
    """A text as an error repeats it: never longer than a line or two, whatever was sent."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
