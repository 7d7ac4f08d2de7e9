"""The text of a notice in one language, and which language that is.

Parameters come from outside: whatever they hold, they are one line of printable text in the
result and nothing more.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.texts import FALLBACK, LANGUAGES, UnknownText, catalogue, text
from notifications.domain.notice import Intent, Point

LONGEST_PARAMETER = 300

_LANGUAGE_OF_COUNTRY = {"CN": "zh"} | dict.fromkeys(("RU", "BY", "KZ", "KG", "TJ", "UZ"), "ru")
"""Where registry knows no language: the country that issued the recipient's number."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str
    language: str
    version: str
    """Fingerprint of the wording it was made from."""


def choose_language(preferred: str, recipient: str) -> str:
    """The recipient's language, else that of the country of its number, else English."""
    if preferred in LANGUAGES:
        return preferred
    return _LANGUAGE_OF_COUNTRY.get(recipient.partition("-")[0], FALLBACK)


def render(intent: Intent, language: str) -> Rendered:
    """Subject and body of a notice.

    Raises:
        UnknownText: no such template.
        KeyError: the template mentions what the notice has no value for.
    """
    values = {
        "recipient": intent.recipient,
        "notice_id": intent.id,
        **intent.parameters,
    }
    parameters = {name: clean(value) for name, value in values.items()}
    parameters["points"] = "\n".join(_line(point, language) for point in intent.points)
    body = [
        text("notice.greeting", language, **parameters),
        text(f"{intent.template}.body", language, **parameters),
        text(_footer(intent), language, **parameters),
    ]
    subject = text(f"{intent.template}.subject", language, **parameters)
    return Rendered(subject, "\n\n".join(body) + "\n", language, version(intent))


def version(intent: Intent) -> str:
    """Changes with every change of the wording, so that nobody can forget to count it up."""
    codes = ("notice.greeting", f"{intent.template}.subject", f"{intent.template}.body", _footer(intent))
    wording = "\n".join(f"{code} {sorted(catalogue()[code].items())}" for code in codes)
    return hashlib.sha256(wording.encode()).hexdigest()[:8]


def clean(value: str) -> str:
    """One line without control and formatting characters, of bounded length."""
    printable = "".join(" " if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp", "Cs"} else each for each in value)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_PARAMETER else f"{line[:LONGEST_PARAMETER]}…"


def _footer(intent: Intent) -> str:
    return "notice.footer" if intent.ucr is not None else "notice.footer.match"


def _line(point: Point, language: str) -> str:
    where = f" ({clean(point.pointer)})" if point.pointer else ""
    return f"- {_worded(point.code, language, point.parameters)}{where}"


def _worded(code: str, language: str, parameters: Mapping[str, str]) -> str:
    """The text of a code; the code itself where its owner's catalogue does not have it (yet)."""
    try:
        return text(code, language, **{name: clean(value) for name, value in parameters.items()})
    except (UnknownText, KeyError, IndexError):
        return clean(code)
