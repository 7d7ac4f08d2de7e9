"""The language of an answer, and its texts."""

from collections.abc import Mapping

from fastapi import Request

from contracts.texts import FALLBACK, LANGUAGES, UnknownText, text


def language(accepted: str | None) -> str:
    """The preferred supported language of an `Accept-Language`, else English."""
    weighed = []
    for position, part in enumerate((accepted or "").split(",")[:20]):
        tag, _, parameters = part.partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, position, tag.strip().lower().partition("-")[0]))
    return next((tag for weight, _, tag in sorted(weighed) if tag in LANGUAGES and weight < 0), FALLBACK)


def language_of(request: Request) -> str:
    """The language for the answer to a request."""
    return language(request.headers.get("accept-language"))


def in_words(code: str, lang: str, values: Mapping[str, object]) -> str:
    """The text of a code; the code itself if it has none, so that a missing text never fails an answer."""
    try:
        return text(code, lang, **values)
    except (UnknownText, KeyError, IndexError, TypeError):
        return code
