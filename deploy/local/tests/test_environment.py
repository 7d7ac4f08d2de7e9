"""The services read the environment that they are started with."""

from dataclasses import replace
from pathlib import Path

import pytest

from launcher import access
from launcher.layout import Layout
from launcher.services import MAIL_FROM, SERVICES, Surroundings, environment, port_names, prepare_secrets
from notifications.settings import NotificationsSettings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    ports = {name: 20_000 + number for number, name in enumerate(port_names())}
    return Surroundings(Layout(tmp_path), ports, "127.0.0.1:1", "mongodb://127.0.0.1:2")


def test_a_killed_mail_attempt_is_repeated_soon_in_development(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment("notifications", around).items():
        monkeypatch.setenv(name, value)
    settings = NotificationsSettings()
    assert (settings.mail.attempt_seconds, settings.mail.limits.lease_seconds) == (3, 4)
    assert settings.smtp.sender == MAIL_FROM
    assert settings.smtp.port == around.ports["smtp"]


def test_a_databases_password_stands_in_a_file_and_not_in_an_environment(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    prepare_secrets(layout, "mongodb://us:open-sesame@there/")
    ports = dict.fromkeys(port_names(), 1)
    given = environment("registry", Surroundings(layout, ports, "there:1", "mongodb://us:open-sesame@there/"))
    assert not any("open-sesame" in value for value in given.values())
    file = Path(given["TRADE_MONGO__URL_FILE"])
    assert file.read_text() == "mongodb://us:open-sesame@there/\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_credentials_for_a_given_broker_go_to_every_service(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_KAFKA__SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("TRADE_KAFKA__PASSWORD_FILE", "/run/password")
    monkeypatch.setenv("TRADE_KAFKA__LINGER_MS", "7")
    known = access.given_to_services()
    assert known == {"TRADE_KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "TRADE_KAFKA__PASSWORD_FILE": "/run/password"}
    given = environment("registry", replace(around, kafka_access=known))
    assert known.items() <= given.items()


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_knows_its_peers_and_nothing_of_the_users_own(
    service: str, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_LOG_LEVEL", "nonsense")
    given = environment(service, around)
    peers = {name for name in given if name.startswith("TRADE_PEERS__")}
    assert peers == {f"TRADE_PEERS__{peer.upper()}" for peer in SERVICES if peer != service}
    assert "TRADE_LOG_LEVEL" not in given
