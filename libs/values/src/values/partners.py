"""The code of a partner: one name, the same in keys, topics, settings and at the terminal.

It stands in topic names (`inbox.<code>`), file names and addresses, so it has lower-case letters,
digits, points and dashes alone, and begins with a letter or digit.
"""

import re

from values.faults import TextFault, shortened

FORM = "[a-z0-9][a-z0-9.-]{0,58}"
"""Of the whole code, as a regular expression."""

BAD_FORM = "partner.form"


class PartnerCode(str):
    """A partner's code without blanks around it, in lower case."""

    __slots__ = ()

    def __new__(cls, written: str) -> "PartnerCode":
        return str.__new__(cls, written.strip().lower())

    def fault(self) -> TextFault | None:
        """Why it cannot be one; None where it can."""
        return None if re.fullmatch(FORM, self) else TextFault(BAD_FORM, shortened(self))
