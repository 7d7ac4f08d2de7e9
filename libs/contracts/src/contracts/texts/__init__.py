"""Texts for people, by code, in Chinese, Russian and English.

One TOML file per owner in this folder; one table per code with the keys `zh`, `ru` and `en`.
Placeholders are `str.format` fields. Codes and numbers are not translated.
"""

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "ru", "en")
FALLBACK = "en"


class UnknownText(KeyError):
    """No text has this code."""


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: code → language → template.

    Raises:
        ValueError: two owners define the same code.
    """
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for code, by_language in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if code in texts:
                raise ValueError(f"text {code!r} is defined in two files; the second is {file.name}")
            texts[code] = by_language
    return texts


def text(code: str, language: str, **parameters: object) -> str:
    """The text of a code in a language; English if the language is not supported.

    Raises:
        UnknownText: no such code.
    """
    try:
        by_language = catalogue()[code]
    except KeyError:
        raise UnknownText(code) from None
    return by_language.get(language, by_language[FALLBACK]).format(**parameters)
