"""Settings of declarations."""

from pydantic import Field

from chassis.settings import ServiceSettings


class DeclarationsSettings(ServiceSettings):
    name: str = "declarations"
    office_zone: str = Field(default="Asia/Shanghai", description="Time zone of the customs office's calendar days")
    home_office: str = Field(
        default="4200", description="Customs office of declarations that name neither an office nor a place"
    )
    payment_days: int = Field(default=15, ge=0, description="Calendar days to pay assessed duties")
    payment_seconds: float = Field(default=0, ge=0, description="Above 0: replaces the days, for tests and demos")
