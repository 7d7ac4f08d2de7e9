"""The settings that every service shares, typed and read from the environment.

Read once at the start, from variables with the prefix `TRADE_` (`__` separates nested names, as in
`TRADE_KAFKA__BOOTSTRAP_SERVERS`). A variable that ends in `_FILE` names a file with a secret
(`chassis.secret_files`). Printed settings mask secrets.
"""

import socket
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.secret_files import SecretFiles, SecretNotRead
from chassis.tls import client_context, server_context
from contracts.topics import Profile

_Settings = TypeVar("_Settings", bound=BaseSettings)

CONNECTIONS = 8
"""Database connections of one process. The bound makes work queue here and not at the server: a server with hundreds
of commands in progress answers none of them in time, and timed-out commands are sent again."""


class KafkaSettings(BaseModel):
    """The broker, our credentials there, and when the outbox counts as overloaded."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="host:port of some brokers, by comma")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How the brokers are spoken to"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the password is proven, with SASL_…"
    )
    username: str = Field(default="", description="Who we are to the brokers, with SASL_…")
    password: SecretStr = Field(default=SecretStr(""), description="The user's password, with SASL_…")
    ca_file: Path | None = Field(
        default=None, description="Authorities for the brokers' certificates; empty: the system's"
    )
    certificate_file: Path | None = Field(default=None, description="Our own certificate, where brokers ask for one")
    key_file: Path | None = Field(default=None, description="Its private key, where it is not in the same file")
    compression: Literal["lz4", "gzip", "zstd"] | None = Field(default="lz4", description="Of record batches")
    linger_ms: int = Field(default=5, ge=0, description="How long an event waits for others to go with it")
    session_timeout_ms: int = Field(default=30_000, ge=1_000, description="After this a silent member counts as dead")
    max_records: int = Field(default=200, ge=1, description="Records in one batch")
    max_unsent: int = Field(default=2_000, ge=1, description="Unsent events above which consumption pauses")
    max_unsent_seconds: float = Field(default=30.0, gt=0, description="Age of the oldest unsent event, likewise")

    def client_options(self) -> dict[str, Any]:
        """The connection options for aiokafka's clients.

        Raises:
            CertificatesNotRead: a file with certificates or a key cannot be used.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if "SSL" in self.security_protocol.split("_"):
            options["ssl_context"] = client_context(self.ca_file, self.certificate_file, self.key_file)
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return options


class MongoSettings(BaseModel):
    """The service's own database and its credentials there."""

    url: SecretStr = Field(default=SecretStr("mongodb://127.0.0.1:27017"), description="May hold credentials")
    database: str = Field(default="", description="Empty: the service's name")
    username: str = Field(default="", description="Empty: as the URL says")
    password: SecretStr | None = Field(default=None, description="The user's password, where the URL holds none")
    tls: bool = Field(default=False, description="Whether connections use TLS; so they do with a file below")
    ca_file: Path | None = Field(default=None, description="Authorities for the servers' certificates")
    certificate_file: Path | None = Field(default=None, description="Our certificate, where servers ask for one")
    key_file: Path | None = Field(default=None, description="Its private key, unless in the same file")


class TlsSettings(BaseModel):
    """Mutual TLS of gRPC between our services; without files, connections are plain."""

    ca_file: Path | None = Field(default=None, description="Authorities of our services' certificates")
    certificate_file: Path | None = Field(
        default=None, description="Our own certificate: names the host that peers call us by"
    )
    key_file: Path | None = Field(default=None, description="Its private key")

    @property
    def used(self) -> bool:
        return self.certificate_file is not None

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [self.ca_file is not None, self.certificate_file is not None, self.key_file is not None]
        if any(given) and not all(given):
            raise PydanticCustomError("incomplete", "mutual TLS needs CA_FILE, CERTIFICATE_FILE and KEY_FILE")
        return self


class ListenSettings(BaseModel):
    """An address to listen on."""

    host: str = Field(
        default="127.0.0.1", description="The address listened on; in a pod 0.0.0.0, else no probe comes in"
    )
    port: int = Field(ge=0, le=65535, description="The port listened on")


class DoorSettings(ListenSettings):
    """Where a door listens, and how many requests it admits.

    The default number of places keeps the database connections busy while other requests compute. Twice as many may
    wait for a place, which is a fraction of a second's work.
    """

    places: int = Field(default=4 * CONNECTIONS, ge=1, description="Requests that this process handles at once")
    waiting: int = Field(default=8 * CONNECTIONS, ge=0, description="Requests that may wait for a place; then 503")


class HttpSettings(DoorSettings):
    """Where an HTTP door listens, and its time limits."""

    head_seconds: float = Field(default=10.0, gt=0, description="Limit for receiving the head of a request")
    answer_seconds: float = Field(default=45.0, gt=0, description="Limit for a request: receiving its body, answering")
    certificate_file: Path | None = Field(
        default=None, description="The door's certificate; without one it speaks plain HTTP, for a gateway before it"
    )
    key_file: Path | None = Field(default=None, description="Its private key, unless in the same file")

    def tls_context(self) -> ssl.SSLContext | None:
        """TLS of the door; None: plain HTTP.

        Raises:
            CertificatesNotRead: the certificate or its key cannot be used.
        """
        return None if self.certificate_file is None else server_context(self.certificate_file, self.key_file)


class ServiceSettings(BaseSettings):
    """Settings of every service; a service adds its own fields."""

    model_config = SettingsConfigDict(
        env_prefix="TRADE_",
        env_nested_delimiter="__",
        secrets_dir=None,
        extra="ignore",
        frozen=True,
        # A door that is given its host alone keeps its port.
        nested_model_default_partial_update=True,
        use_attribute_docstrings=True,
    )

    name: str = Field(description="The service's name: consumer group, token issuer, database")
    instance: str = Field(default_factory=socket.gethostname, description="This replica's name, stable over restarts")
    build: str = Field(default="dev", description="The release, as logs, spans and parked records name it")
    environment: Literal["production", "development"] = Field(
        default="production", description="development enables test features such as fail points"
    )
    fail_points: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Fail points to arm at start, separated by commas: `save.after:kill:3`"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="From what on is logged"
    )
    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    grpc: DoorSettings = DoorSettings(port=50051)
    tls: TlsSettings = TlsSettings()
    admin: ListenSettings = ListenSettings(port=9100)
    peers: dict[str, str] = Field(default_factory=dict, description="Service name → host:port of its gRPC")
    keys_dir: Path = Field(default=Path("keys"), description="Folder of <issuer>.<kid>.private.pem and .public.pem")
    otlp_endpoint: str = Field(default="", description="host:port of an OTLP/gRPC receiver; empty: spans stay here")
    traces_per_second: float = Field(
        default=5.0,
        ge=0,
        description="Traces recorded per second, of those that begin here; a burst of 200 is allowed",
    )
    topic_profile: Profile = Field(
        default=Profile.DEV,
        validate_default=True,
        description="The size chosen at installation; production needs city or all-members, as dev keeps one copy",
    )
    epoch: int = Field(default=0, ge=0, description="Raised by an operator when the topic has lost its latest events")
    grpc_reflection: bool = Field(default=False, description="Whether gRPC tells anybody what it serves")
    drain_seconds: float = Field(
        default=15.0, gt=0, description="How long a stop may take to finish work in progress, over all parts"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("fail_points", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        return tuple(each for each in given.split(",") if each.strip()) if isinstance(given, str) else given

    @field_validator("fail_points")
    @classmethod
    def _only_in_development(cls, given: tuple[str, ...], known: ValidationInfo) -> tuple[str, ...]:
        if given and known.data.get("environment") != "development":
            raise PydanticCustomError(
                "development_only", "Fail points exist in development only: set TRADE_ENVIRONMENT=development"
            )
        return given

    @field_validator("topic_profile")
    @classmethod
    def _copied_in_production(cls, given: Profile, known: ValidationInfo) -> Profile:
        if given is Profile.DEV and known.data.get("environment") == "production":
            raise PydanticCustomError(
                "one_copy",
                "dev keeps one copy of each event: say city or all-members, or set TRADE_ENVIRONMENT=development",
            )
        return given

    @property
    def database(self) -> str:
        return self.mongo.database or self.name


def load(settings: type[_Settings]) -> _Settings:
    """Read the settings; exit with one line per fault, naming the variable, if they are wrong."""
    try:
        return settings()
    except SecretNotRead as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            variable = "TRADE_" + "__".join(str(part) for part in fault["loc"]).upper()
            print(f"{variable}: {fault['msg']}", file=sys.stderr)
        sys.exit(2)
