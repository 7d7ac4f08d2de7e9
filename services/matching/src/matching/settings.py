"""The typed environment of matching."""

from chassis.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """Nothing beyond what every service has; `peers` must name `registry`."""

    name: str = "matching"
