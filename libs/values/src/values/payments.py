"""The references of money: the platform's own of an assessment, and a bank's own of a payment.

A payer writes the platform's on its order, so that the money settles what it is for:

`RF`, two check digits, twenty digits: a structured creditor reference (ISO 11649), which banks know how to carry and
to check. The check digits (ISO 7064, MOD 97-10) find every single wrong digit and every pair that was swapped. There
are no letters in it, though the standard allows them: between a letter and a digit the check digits do not see all.
"""

import hashlib
import re
import unicodedata

from values.faults import TextFault
from values.identifiers import compact
from values.references import EMPTY, Reference

FORM = "payment_reference.form"
CHECK_DIGITS = "payment_reference.check_digits"

_DIGITS = 20


class PaymentReference(Reference):
    """A creditor reference, without the blanks and dashes that people write it with."""

    __slots__ = ()

    _FORM = re.compile(r"RF[0-9]{22}")

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(written).replace("-", "")

    def fault(self) -> TextFault | None:
        """Not of the form, or its check digits are those of another one: somebody has mistyped it."""
        if not self:
            return TextFault(EMPTY)
        if not self._FORM.fullmatch(self):
            return TextFault(FORM)
        return None if _remainder(self[4:] + self[:4]) == 1 else TextFault(CHECK_DIGITS, self[2:4])


class BankReference(Reference):
    """A bank's own reference of one payment, without blanks, in upper case. It says nothing without the bank.

    Dashes stay: every bank numbers by a rule of its own, and `2026-1` may be another payment than `20261`.
    """

    __slots__ = ()

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(unicodedata.normalize("NFC", written))


def payment_reference(declaration_id: str, version: int) -> PaymentReference:
    """The reference of the assessment of a declaration's version: derived, so that it never has to be looked up."""
    digest = int.from_bytes(hashlib.sha256(f"{declaration_id}/{version}".encode()).digest())
    own = f"{digest % 10**_DIGITS:0{_DIGITS}}"
    return PaymentReference(f"RF{98 - _remainder(own + 'RF00'):02}{own}")


def _remainder(text: str) -> int:
    """Of a text read as a number, letters counting from 10, by 97 (ISO 7064)."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
