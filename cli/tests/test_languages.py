"""An unsupported language is an error that lists the supported ones, in every command that takes one."""

from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer
from typer.testing import CliRunner

from contracts.texts import LANGUAGES
from trade_cli import languages
from trade_cli.main import COMMANDS, app


def _commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    root: Any = typer.main.get_command(app)
    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        inner = getattr(command, "commands", None)
        yield from [((name, each), inner[each]) for each in inner] if inner else [((name,), command)]


SPEAKING = [
    (path, option.opts[0])
    for path, command in _commands()
    for option in command.params
    if option.opts[0] in ("--lang", "--contact-language")
]


def test_every_command_that_tells_something_takes_a_language() -> None:
    assert {path[0] for path, _ in SPEAKING} == {"trace", "send", "registry", "demo"}


@pytest.mark.parametrize(("path", "option"), SPEAKING)
@pytest.mark.parametrize("language", ["de", "", "EN ", "русский"])
def test_a_language_that_is_none_of_ours_is_an_error_that_names_them(
    path: tuple[str, ...], option: str, language: str
) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*path, option, language])
    assert result.exit_code == 2
    told = " ".join(result.output.split())
    assert f"Invalid value for '{option}'" in told or f"Invalid value for {option}" in told
    assert all(f"'{each}'" in told for each in LANGUAGES)
    assert "Value error" not in told


def test_the_environment_s_language_is_checked_as_well() -> None:
    result = CliRunner(env={"COLUMNS": "200", "TRADE_LANG": "de"}).invoke(app, ["trace", "6CN1"])
    assert result.exit_code == 2


def test_the_command_knows_the_languages_of_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tuple(languages.LanguageCode) == LANGUAGES
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    assert (languages.spoken(None), languages.spoken("zh")) == ("ru", "zh")
    monkeypatch.setenv("LANG", "C")
    assert languages.spoken(None) == "en"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trace", "6CN1", "--lang", "de"], "'de' is not one of 'zh', 'ru', 'en'"),
        (["partners", "add", "x", "--role", "king"], "'king' is not one of 'carrier', 'port'"),
    ],
)
def test_a_wrong_choice_is_told_in_the_words_of_a_person(arguments: list[str], words: str) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    told = " ".join(result.output.split())
    assert f": {words}" in told
    assert "Value error" not in told
