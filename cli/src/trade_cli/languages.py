"""The languages of the commands' output; an unknown one is an error that lists them."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from contracts.texts import FALLBACK, LANGUAGES


class LanguageCode(StrEnum):
    """The languages of the message catalogue."""

    zh = "zh"
    ru = "ru"
    en = "en"


Language = Annotated[
    LanguageCode | None,
    typer.Option("--lang", help="Default: the terminal's language, otherwise English.", envvar="TRADE_LANG"),
]


def spoken(asked: str | None) -> str:
    """The given language, otherwise the terminal's, otherwise English."""
    language = str(asked or os.environ.get("LANG", "")[:2])
    return language if language in LANGUAGES else FALLBACK
