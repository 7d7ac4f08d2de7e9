"""Settings of matching."""

from chassis.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """The settings of every service; `peers` must name `registry`."""

    name: str = "matching"
