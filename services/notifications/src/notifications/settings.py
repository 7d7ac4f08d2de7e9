"""Settings of notifications."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from chassis.settings import ServiceSettings
from chassis.waiting import Limits


class SmtpSettings(BaseModel):
    """The outgoing mail server, and our sender address and login."""

    model_config = ConfigDict(populate_by_name=True)

    host: str = Field(default="127.0.0.1", description="The mail server's name or address")
    port: int = Field(default=25, ge=1, le=65535, description="The mail server's port")
    sender: str = Field(
        default="notices@trade.invalid",
        pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$",
        validation_alias=AliasChoices("from", "sender"),
        description="Sender address, in the header and in the envelope",
    )
    username: str = Field(default="", description="Login; empty: none")
    password: SecretStr = Field(default=SecretStr(""), description="The login's password")
    starttls: bool = Field(default=False, description="Whether the connection is encrypted by STARTTLS")
    ca_file: str | None = Field(
        default=None, description="CA file for the server's certificate; empty: the system's CAs"
    )

    @property
    def domain(self) -> str:
        """The right-hand side of Message-IDs."""
        return self.sender.rpartition("@")[2]


class MailSettings(BaseModel):
    """Concurrency, time limits and retries of mail."""

    attempt_seconds: float = Field(default=10.0, gt=0, description="Time limit of one SMTP session")
    lease_margin_seconds: float = Field(default=5.0, gt=0, description="Added to attempt_seconds: lease of an attempt")
    at_once: int = Field(
        default=48, ge=1, description="Concurrent attempts in this process; mail servers limit connections per client"
    )
    at_once_per_domain: int = Field(default=16, ge=1, description="Concurrent attempts to one recipient domain")
    first_retry_seconds: float = Field(default=5.0, gt=0, description="Pause before the second attempt; it doubles")
    longest_retry_seconds: float = Field(default=6 * 3600.0, gt=0, description="Longest pause between two attempts")
    give_up_after_seconds: float = Field(
        default=3 * 24 * 3600.0, gt=0, description="Counted from when the mail could be sent"
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
