"""What the environment says to tracking (prefix `TRADE_`, nested by `__`)."""

from pathlib import Path

from pydantic import Field

from chassis.settings import HttpSettings, ListenSettings, ServiceSettings
from contracts.topics import SERVICES


class TrackingSettings(ServiceSettings):
    name: str = "tracking"
    http: HttpSettings = HttpSettings(port=8081)
    """The support desk's door."""
    otlp: ListenSettings = ListenSettings(port=4317)
    """Where spans are received, OTLP over gRPC."""
    staff_user: str = "staff"
    staff_password_file: Path
    """A file with the support desk's password on its first line; the service does not start without."""
    local_zone: str = "Asia/Shanghai"
    """IANA time zone that pages show beside UTC."""
    parking: tuple[str, ...] = tuple(name for name in SERVICES if name != "tracking")
    """The services that are asked what they hold back; one whose address is not among the peers is unknown."""
    span_days: float = Field(default=14, gt=0)
    """How long spans are kept."""
    spans_per_shipment: int = Field(default=2_000, gt=0)
    spans_in_all: int = Field(default=500_000, gt=0)
