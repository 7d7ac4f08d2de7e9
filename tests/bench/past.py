"""Makes past shipments from a recorded one: the same documents with other names, in any number.

Every name by which documents are found or linked (ids, UCR, references, traces, the container) is replaced by another
of the same length, so that encoded documents are copied and only these places are overwritten.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from bench.recording import Document, Recording

SHORTEST = 8
"""A shorter part of an id is not specific to one shipment."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WIDTH = 7
_REFERENCES = re.compile(r"(ucr|lrn|number|reference|document|declaration_number|payment_reference|traceparent)$")
_PART = re.compile(r"[^/#@|]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The encoded documents of one collection, and the positions of names in them."""

    collection: str
    content: bytes
    ends: Sequence[int]
    """The end of each document in `content`."""
    places: Sequence[tuple[int, int]]
    """Position in `content` of a name's variable ending, and the name's number."""


@dataclass(frozen=True, slots=True)
class Past:
    """A shipment that can be copied."""

    patterns: Sequence[Pattern]
    names: int

    @property
    def documents(self) -> int:
        """Number of documents of one shipment."""
        return sum(len(pattern.ends) for pattern in self.patterns)

    def copies(self, numbers: range) -> Iterator[tuple[str, list[RawBSONDocument]]]:
        """The documents of the shipments with these numbers, by collection."""
        for pattern in self.patterns:
            copied: list[RawBSONDocument] = []
            for number in numbers:
                content = bytearray(pattern.content)
                for place, name in pattern.places:
                    content[place : place + _WIDTH] = _word(number * self.names + name)
                copied += _cut(bytes(content), pattern.ends)
            yield pattern.collection, copied


def past_of(recording: Recording) -> Past:
    """Prepare the documents of a recording, including spans, for copying."""
    names = sorted(_names(recording), key=len, reverse=True)
    numbers = {name.encode(): number for number, name in enumerate(names)}
    # Longest first, so that an id that begins with another is found whole.
    found = re.compile(b"|".join(map(re.escape, numbers)))
    return Past([_pattern(name, each, found, numbers) for name, each in recording.documents.items()], len(names))


def _pattern(
    collection: str, documents: Sequence[Document], found: "re.Pattern[bytes]", numbers: Mapping[bytes, int]
) -> Pattern:
    encoded = [bson.encode(dict(each)) for each in documents]
    content = b"".join(encoded)
    places = [(match.end() - _WIDTH, numbers[match.group()]) for match in found.finditer(content)]
    return Pattern(collection, content, list(accumulate(map(len, encoded))), places)


def _names(recording: Recording) -> set[str]:
    """Names specific to this shipment: parts of ids, and the references of its declaration."""
    names: set[str] = set()
    for documents in recording.documents.values():
        for document in documents:
            if isinstance(document["_id"], str):
                names |= {part for part in _PART.findall(document["_id"]) if len(part) >= SHORTEST}
    for document in recording.of("declarations", "declarations").values():
        names |= set(_references(document["state"]))
    return names


def _references(fields: Any, name: str = "") -> Iterator[str]:
    match fields:
        case dict():
            for inner, value in fields.items():
                yield from _references(value, inner)
        case list():
            for value in fields:
                yield from _references(value, "reference" if name == "containers" else name)
        case str() if _REFERENCES.search(name) and len(fields) >= SHORTEST:
            yield fields


def _word(number: int) -> bytes:
    """A number in digits and letters, of fixed length."""
    word = ""
    for _ in range(_WIDTH):
        number, digit = divmod(number, len(_DIGITS))
        word = _DIGITS[digit] + word
    return word.encode()


def _cut(content: bytes, ends: Sequence[int]) -> list[RawBSONDocument]:
    return [RawBSONDocument(content[begin:end]) for begin, end in pairwise([0, *ends])]
