"""Settings from the environment; wrong ones fail the start with a line that says why."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.settings import ServiceSettings, load
from contracts.topics import Profile


class Settings(ServiceSettings):
    name: str = "tests"


@pytest.fixture(autouse=True)
def in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ENVIRONMENT", "development")


def test_production_does_not_keep_one_copy_of_each_event_by_default() -> None:
    with pytest.raises(ValidationError, match="dev keeps one copy of each event: say city or all-members"):
        Settings(environment="production")
    assert Settings(environment="production", topic_profile=Profile.CITY).topic_profile is Profile.CITY
    assert Settings().topic_profile is Profile.DEV


@pytest.mark.parametrize(
    ("variable", "read"),
    [
        ("TRADE_KAFKA__PASSWORD", lambda each: each.kafka.password),
        ("TRADE_MONGO__PASSWORD", lambda each: each.mongo.password),
        ("TRADE_MONGO__URL", lambda each: each.mongo.url),
    ],
)
def test_every_secret_comes_from_a_file_too(
    variable: str, read: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(" pass word\n")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("TRADE_KAFKA__BOOTSTRAP_SERVERS", "broker:9092")
    settings = Settings()
    assert read(settings).get_secret_value() == " pass word"  # type: ignore[operator]
    assert settings.kafka.bootstrap_servers == "broker:9092", "what stands beside it in the environment counts too"
    assert "pass word" not in f"{settings!r} {settings.model_dump(mode='json')}"


@pytest.mark.parametrize(
    ("content", "environment", "said"),
    [
        (None, {}, "cannot be read: No such file or directory"),
        (b"\n", {}, "is empty"),
        (b"\xff", {}, "is not UTF-8 text"),
        (b"one", {"TRADE_KAFKA__PASSWORD": "other"}, "TRADE_KAFKA__PASSWORD is also set; keep only one of them"),
    ],
)
def test_a_secret_that_cannot_be_used_ends_the_start_in_one_line(
    content: bytes | None,
    environment: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRADE_KAFKA__PASSWORD_FILE", str(file))
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(lines)) == (2, 1)
    assert lines[0].startswith("TRADE_KAFKA__PASSWORD_FILE: ")
    assert said in lines[0]
    assert "other" not in lines[0]


def test_a_door_that_is_given_its_host_alone_keeps_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_GRPC__HOST", "0.0.0.0")  # noqa: S104 - nothing listens here
    monkeypatch.setenv("TRADE_ADMIN__PORT", "9999")
    settings = Settings()
    assert (settings.grpc.host, settings.grpc.port) == ("0.0.0.0", 50051)  # noqa: S104 - nothing listens here
    assert (settings.admin.host, settings.admin.port) == ("127.0.0.1", 9999)
