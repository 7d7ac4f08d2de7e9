"""The service's typed environment."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from chassis.settings import ServiceSettings
from chassis.waiting import Limits


class SmtpSettings(BaseModel):
    """The mail server that takes our mail, and who we are to it."""

    model_config = ConfigDict(populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65535)
    sender: str = Field(
        default="notices@trade.invalid",
        pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$",
        validation_alias=AliasChoices("from", "sender"),
        description="TRADE_SMTP__FROM: address of sender and envelope",
    )
    username: str = ""
    password: SecretStr = SecretStr("")
    starttls: bool = False
    ca_file: str | None = Field(
        default=None, description="Authorities for the server's certificate; None: the system's"
    )

    @property
    def domain(self) -> str:
        """The right-hand side of Message-IDs."""
        return self.sender.rpartition("@")[2]


class MailSettings(BaseModel):
    """How hard and how long mail is tried."""

    attempt_seconds: float = Field(default=10.0, gt=0, description="The whole dialogue with the mail server")
    lease_margin_seconds: float = Field(default=5.0, gt=0, description="After which a silent attempt counts as lost")
    at_once: int = Field(
        default=48, ge=1, description="Attempts side by side in this process; mail servers bound a client's"
    )
    at_once_per_domain: int = Field(default=16, ge=1, description="Of these, to one recipient domain")
    first_retry_seconds: float = Field(default=5.0, gt=0)
    longest_retry_seconds: float = Field(default=6 * 3600.0, gt=0)
    give_up_after_seconds: float = Field(
        default=3 * 24 * 3600.0, gt=0, description="Counted from when it could be sent"
    )

    @property
    def limits(self) -> Limits:
        return Limits(
            lease_seconds=self.attempt_seconds + self.lease_margin_seconds,
            at_once=self.at_once,
            at_once_per_route=self.at_once_per_domain,
            first_retry_seconds=self.first_retry_seconds,
            longest_retry_seconds=self.longest_retry_seconds,
            give_up_after_seconds=self.give_up_after_seconds,
        )


class NotificationsSettings(ServiceSettings):
    name: str = "notifications"
    smtp: SmtpSettings = SmtpSettings()
    mail: MailSettings = MailSettings()
