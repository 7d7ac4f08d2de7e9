"""Settings of the gateway."""

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from chassis.settings import HttpSettings, ServiceSettings
from values.moments import CLOCK_SKEW
from values.partners import PartnerCode


class InboxSettings(BaseModel):
    """A registered partner that writes to a Kafka topic of its own, `inbox.<partner>`."""

    partner: str = Field(description="The partner's code; its role and grants are those it is registered with")
    scopes: tuple[str, ...] = Field(default=(), description="Empty: everything that the partner's role may report")

    @field_validator("partner")
    @classmethod
    def _is_code(cls, partner: str) -> str:
        if PartnerCode(partner).fault() is not None or PartnerCode(partner) != partner:
            raise PydanticCustomError(
                "partner_form", "Is not a partner code: lower-case letters, digits, points and dashes, at most 59"
            )
        return partner


class GatewaySettings(ServiceSettings):
    """Settings of the gateway in addition to those of every service."""

    name: str = "gateway"
    http: HttpSettings = HttpSettings(port=8080)
    inboxes: tuple[InboxSettings, ...] = Field(default=(), description="Partners with a Kafka topic, as JSON")
    key_cache_seconds: float = Field(
        default=5.0, ge=0, description="How long a key or grant revoked at another replica still works"
    )
    clock_skew_seconds: float = Field(
        default=CLOCK_SKEW.total_seconds(),
        ge=0,
        description="How far in the future an actual event may be, to tolerate partners' clocks",
    )
    event_age_days: float = Field(
        default=400.0, gt=0, description="How long ago an actual event may have happened when it is received"
    )
    requests_per_second: float = Field(default=1_000.0, gt=0, description="Sustained rate per key")
    requests_at_once: float = Field(default=2_000.0, ge=1, description="Burst per key")
