"""Payment references: the platform's, for an assessment, and a bank's, for a payment.

The payer quotes the platform's reference in the payment order, so that the money settles the right assessment.

It is `RF`, two check digits and twenty digits: a structured creditor reference (ISO 11649), which banks can check.
The check digits (ISO 7064, MOD 97-10) detect every single wrong digit and every transposed pair. The standard also
allows letters, but not every confusion of a letter with a digit would be detected, so there are none.
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
    """A creditor reference, without blanks and dashes."""

    __slots__ = ()

    _FORM = re.compile(r"RF[0-9]{22}")

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(written).replace("-", "")

    def fault(self) -> TextFault | None:
        """It has the wrong form, or wrong check digits: a typing error."""
        if not self:
            return TextFault(EMPTY)
        if not self._FORM.fullmatch(self):
            return TextFault(FORM)
        return None if _remainder(self[4:] + self[:4]) == 1 else TextFault(CHECK_DIGITS, self[2:4])


class BankReference(Reference):
    """A bank's own reference of one payment, without blanks, in upper case. It is unique only per bank.

    Dashes are significant: every bank has its own numbering, and `2026-1` may be another payment than `20261`.
    """

    __slots__ = ()

    @classmethod
    def normal(cls, written: str) -> str:
        return compact(unicodedata.normalize("NFC", written))


def payment_reference(declaration_id: str, version: int) -> PaymentReference:
    """The reference for the assessment of a declaration's version; derived, so it needs no look-up."""
    digest = int.from_bytes(hashlib.sha256(f"{declaration_id}/{version}".encode()).digest())
    own = f"{digest % 10**_DIGITS:0{_DIGITS}}"
    return PaymentReference(f"RF{98 - _remainder(own + 'RF00'):02}{own}")


def _remainder(text: str) -> int:
    """The remainder by 97 of a text read as a number, with letters counting from 10 (ISO 7064)."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
