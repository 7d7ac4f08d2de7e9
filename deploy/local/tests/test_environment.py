"""The services read the environment that they are started with."""

from pathlib import Path

import pytest

from launcher.layout import Layout
from launcher.services import MAIL_FROM, SERVICES, Surroundings, environment, port_names
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


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_knows_its_peers_and_nothing_of_the_users_own(
    service: str, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_LOG_LEVEL", "nonsense")
    given = environment(service, around)
    peers = {name for name in given if name.startswith("TRADE_PEERS__")}
    assert peers == {f"TRADE_PEERS__{peer.upper()}" for peer in SERVICES if peer != service}
    assert "TRADE_LOG_LEVEL" not in given
