"""The gateway's environment."""

from pydantic import BaseModel, Field, field_validator

from chassis.settings import ListenSettings, ServiceSettings
from gateway.domain.access import ROLE_EVENTS


class InboxSettings(BaseModel):
    """A partner that writes to a Kafka topic of its own, `inbox.<partner>`."""

    partner: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,58}$", description="The partner's code")
    role: str = Field(description="carrier, port, rail, customs, inspection, bank or agency")
    scopes: tuple[str, ...] = Field(default=(), description="Empty: everything that the role may tell")

    @field_validator("role")
    @classmethod
    def _known(cls, role: str) -> str:
        if role not in ROLE_EVENTS:
            raise ValueError(f"is none of {', '.join(ROLE_EVENTS)}")
        return role


class GatewaySettings(ServiceSettings):
    """What the gateway needs to know beside what every service does."""

    name: str = "gateway"
    http: ListenSettings = ListenSettings(port=8080)
    inboxes: tuple[InboxSettings, ...] = Field(default=(), description="Partners with a Kafka topic, as JSON")
    key_cache_seconds: float = Field(default=5.0, ge=0, description="How long a key revoked elsewhere still opens")
    requests_per_second: float = Field(default=1_000.0, gt=0, description="Of one key, in the long run")
    requests_at_once: float = Field(default=2_000.0, ge=1, description="Of one key, after a pause")
