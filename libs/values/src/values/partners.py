"""The code of a partner, used in keys, topics, settings and commands.

It is part of topic names (`inbox.<code>`), file names and URLs, so it has only lower-case letters, digits, points and
dashes, and begins with a letter or digit.
"""

import re

from values.faults import TextFault, shortened

FORM = "[a-z0-9][a-z0-9.-]{0,58}"
"""The whole code, as a regular expression."""

BAD_FORM = "partner.form"


class PartnerCode(str):
    """A partner's code, stripped and in lower case."""

    __slots__ = ()

    def __new__(cls, written: str) -> "PartnerCode":
        return str.__new__(cls, written.strip().lower())

    def fault(self) -> TextFault | None:
        """Why it is not a valid code; None if it is."""
        return None if re.fullmatch(FORM, self) else TextFault(BAD_FORM, shortened(self))
