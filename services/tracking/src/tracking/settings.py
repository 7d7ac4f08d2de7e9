"""Settings of tracking (environment, prefix `TRADE_`, nested by `__`)."""

from pathlib import Path

from pydantic import Field

from chassis.settings import HttpSettings, ListenSettings, ServiceSettings
from contracts.topics import SERVICES


class TrackingSettings(ServiceSettings):
    name: str = "tracking"
    http: HttpSettings = HttpSettings(port=8081)
    """The support desk's HTTP server."""
    otlp: ListenSettings = ListenSettings(port=4317)
    """The receiver of spans, OTLP over gRPC."""
    staff_user: str = "staff"
    """The support desk's login."""
    staff_password_file: Path
    """A file with the support desk's password on its first line; required."""
    local_zone: str = "Asia/Shanghai"
    """IANA time zone that pages show in addition to UTC."""
    parking: tuple[str, ...] = tuple(name for name in SERVICES if name != "tracking")
    """The services whose parked deliveries are queried; one without an address among the peers is unknown."""
    span_days: float = Field(default=14, gt=0)
    """How long spans are kept."""
    spans_per_shipment: int = Field(default=2_000, gt=0)
    """How many spans of one shipment are kept."""
    spans_in_all: int = Field(default=500_000, gt=0)
    """How many spans are kept in total."""
