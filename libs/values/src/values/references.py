"""References by which things are identified, each in its normal form.

Lrn, Ucr,
SubmissionId,
SubmissionSource,
CommandId            composed (NFC), no blanks around, single ones within
TransportDocument    composed, without blanks, upper case
DeclarationNumber    without blanks, upper case
CommodityCode        without blanks and points, upper case
ContainerNumber      without blanks, dashes, points and slashes, upper case

`fault` says why a reference cannot be used, by the rules of `text`. A container number must also be ASCII; `warning`
reports a form or check digit that differs from ISO 6346, because road and rail units are entered there too.

A reference is a `str`, so it compares, sorts and serialises as one.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Self

from values.faults import TextFault
from values.identifiers import Identifier, compact, upper
from values.text import reference_fault

EMPTY = "reference.empty"
NOT_ASCII = "reference.not_ascii"
CONTAINER_FORM = "container.form"
CONTAINER_CHECK_DIGIT = "container.check_digit"

_BLANKS = re.compile(r" +")


class Reference(str):
    """A text in the normal form of its kind."""

    __slots__ = ()

    def __new__(cls, written: str) -> Self:
        return str.__new__(cls, cls.normal(written))

    @classmethod
    def normal(cls, written: str) -> str:
        """The normal form of a text; never fails."""
        return _BLANKS.sub(" ", unicodedata.normalize("NFC", written).strip())

    def fault(self) -> TextFault | None:
        """Why it cannot be used; None if it can."""
        return reference_fault(self) if self else TextFault(EMPTY)

    def warning(self) -> TextFault | None:
        """What is unusual about it, though it may be used."""
        return None

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Callable[[type], Mapping[str, Any]]) -> dict[str, Any]:
        """Validate as a string with the field's rules, then normalise."""
        return {"type": "function-after", "function": {"type": "no-info", "function": cls}, "schema": handler(str)}


class Lrn(Reference):
    """A declarant's own reference of a declaration."""

    __slots__ = ()


class Ucr(Reference):
    """Unique consignment reference of a shipment."""

    __slots__ = ()


class SubmissionId(Reference):
    """A submitter's own id of a submission, unique within its source; for events the CloudEvents `id`."""

    __slots__ = ()


class CommandId(Reference):
    """A caller's own id of a command, by which a repeated command is recognised."""

    __slots__ = ()


class SubmissionSource(Reference):
    """The scope in which a submitter's ids are unique; for events the CloudEvents `source`."""

    __slots__ = ()


class TransportDocument(Reference):
    """The number of a bill of lading, consignment note or air waybill."""

    __slots__ = ()

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(unicodedata.normalize("NFC", written))


class DeclarationNumber(Reference):
    """The number that a customs office gave a declaration at acceptance."""

    __slots__ = ()

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(written)


class CommodityCode(Reference):
    """An HS code followed by national digits."""

    __slots__ = ()

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(written).replace(".", "")

    def fault(self) -> TextFault | None:
        """As for other references, but it may be empty: a simplified procedure requires none."""
        return reference_fault(self)


class ContainerNumber(Reference):
    """The number of a container, or of a road or rail unit in its place."""

    __slots__ = ()

    _SEPARATORS = re.compile(r"[\s./\\_\u2010-\u2015\u2212-]+")
    _ISO_6346 = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")

    @classmethod
    def normal(cls, written: str) -> str:
        return upper(cls._SEPARATORS.sub("", written))

    def fault(self) -> TextFault | None:
        strange = next((sign for sign in self if not ("!" <= sign <= "~")), None)
        if strange is not None:
            return TextFault(NOT_ASCII, f"U+{ord(strange):04X}")
        return None if self else TextFault(EMPTY)

    def warning(self) -> TextFault | None:
        """Its form or check digit differs from ISO 6346."""
        if not self._ISO_6346.fullmatch(self):
            return TextFault(CONTAINER_FORM)
        digit = self.check_digit(self[:10])
        return None if int(self[10]) == digit else TextFault(CONTAINER_CHECK_DIGIT, str(digit))

    @staticmethod
    def check_digit(first_ten: str) -> int:
        """The check digit of owner code, category and serial (ISO 6346:2022, annex A); a remainder of 10 counts as 0.

        Letters count from 10 upwards, without the multiples of 11; the character at position i has the weight 2^i.
        """
        letters = [value for value in range(10, 39) if value % 11]
        values = (int(sign) if "0" <= sign <= "9" else letters[ord(sign) - ord("A")] for sign in first_ten)
        return sum(value << place for place, value in enumerate(values)) % 11 % 10


def declaration_id(declarant: Identifier, lrn: Lrn) -> str:
    """The platform's id of a declaration: `D-` and twenty hex digits, derived from declarant and local reference.

    So a corrected version, and a repeated submission, belong to the same declaration.
    """
    return f"D-{hashlib.sha256(f'{declarant}|{lrn}'.encode()).hexdigest()[:20]}"
