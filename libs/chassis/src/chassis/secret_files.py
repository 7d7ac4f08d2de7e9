"""Secrets from files: `TRADE_KAFKA__PASSWORD_FILE` names a file with the value of `TRADE_KAFKA__PASSWORD`.

It works for every setting of type `SecretStr`. Keeps: if a file cannot be read or a secret is given twice, the start
fails with a line that names the variable; the content is never shown.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource


class SecretNotRead(Exception):
    """A secret's file cannot be used; the text names the variable."""


def secrets_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all secret fields of a model, including nested ones."""
    for name, field in model.model_fields.items():
        types = (field.annotation, *get_args(field.annotation))
        if SecretStr in types:
            yield (*above, name)
        for each in types:
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from secrets_of(each, (*above, name))


class SecretFiles(PydanticBaseSettingsSource):
    """The secrets in files named by variables that end in `_FILE`."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        prefix = str(self.config.get("env_prefix", ""))
        self._variables = {path: prefix + "__".join(path).upper() for path in secrets_of(settings)}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # all secrets are read at once, in `__call__`

    def __call__(self) -> dict[str, Any]:
        """The secrets, nested like the settings.

        Raises:
            SecretNotRead: a file is missing or empty, or the secret is also in the environment.
        """
        found: dict[str, Any] = {}
        for path, variable in self._variables.items():
            if file := os.environ.get(f"{variable}_FILE"):
                if variable in os.environ:
                    raise SecretNotRead(f"{variable}_FILE: {variable} is also set; keep only one of them")
                inner = found
                for name in path[:-1]:
                    inner = inner.setdefault(name, {})
                inner[path[-1]] = _content(Path(file), f"{variable}_FILE")
        return found


def _content(file: Path, variable: str) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SecretNotRead(f"{variable}: {file} cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise SecretNotRead(f"{variable}: {file} is not UTF-8 text") from None
    if not (secret := text.rstrip("\r\n")):
        raise SecretNotRead(f"{variable}: {file} is empty")
    return secret
