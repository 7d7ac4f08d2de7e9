"""Renders the text of a notice, and chooses its language.

Parameters come from outside: whatever they contain, each becomes one line of printable text.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.texts import FALLBACK, LANGUAGES, UnknownText, catalogue, text
from notifications.domain.notice import Intent, Point

LONGEST_PARAMETER = 300

_LANGUAGE_OF_COUNTRY = {"CN": "zh"} | dict.fromkeys(("RU", "BY", "KZ", "KG", "TJ", "UZ"), "ru")
"""Language by the country that issued the recipient's number, for recipients without a language in registry."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str
    language: str
    version: str
    """Hash of the template's wording."""


def choose_language(preferred: str, recipient: str) -> str:
    """The recipient's preferred language, else that of its number's country, else English."""
    if preferred in LANGUAGES:
        return preferred
    return _LANGUAGE_OF_COUNTRY.get(recipient.partition("-")[0], FALLBACK)


def render(intent: Intent, language: str) -> Rendered:
    """Subject and body of a notice.

    Raises:
        UnknownText: no such template.
        KeyError: the template has a placeholder without a value in the notice.
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
    """Hash of the wording, so that every change of it gives a new version."""
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
    """The text of a code; the code itself if its owner's catalogue does not have it."""
    try:
        return text(code, language, **{name: clean(value) for name, value in parameters.items()})
    except (UnknownText, KeyError, IndexError):
        return clean(code)
