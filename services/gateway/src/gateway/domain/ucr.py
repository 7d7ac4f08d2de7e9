"""Makes unique consignment references for declarations without one.

WCO: up to 35 characters: the last digit of the year, the ISO country, the company's national
number, a serial. The serial is taken from the receipt's id, so that the same submission always gets
the same reference.
"""

import re

MAX_LENGTH = 35
_SERIAL = 12
_NOT_ALLOWED = re.compile(r"[^0-9A-Z]")


def make_ucr(year: int, scheme: str, value: str, receipt_id: str) -> str:
    """A reference for a declarant's consignment.

    Args:
        scheme: scheme of the declarant's number; its first two letters are the country. A scheme
            without a country (LEI) gives `XX`.
    """
    country = scheme[:2] if re.match(r"[A-Z]{2}-", scheme) else "XX"
    company = _NOT_ALLOWED.sub("", value.upper()).removeprefix(country)
    serial = receipt_id.partition("-")[2][:_SERIAL].upper()
    room = MAX_LENGTH - len(f"{year % 10}{country}-{serial}")
    return f"{year % 10}{country}{company[:room]}-{serial}"
