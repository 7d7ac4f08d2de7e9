"""The languages that a command speaks: one that is none of ours is an error that names them, wherever it is given."""

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
    typer.Option("--lang", help="Default: the terminal's language, else English.", envvar="TRADE_LANG"),
]


def spoken(asked: str | None) -> str:
    """The language asked for, else the terminal's, else English."""
    language = str(asked or os.environ.get("LANG", "")[:2])
    return language if language in LANGUAGES else FALLBACK
