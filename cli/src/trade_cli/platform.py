"""The platform that the command connects to: its addresses and keys, from the launcher's file.

A command never guesses an address: `load_platform` reads the file of the running platform, and every client (HTTP or
gRPC) is created from it.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import grpc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trade_cli.coming_again import PATIENCE_SECONDS

DEFAULT = Path(".run") / "default" / "platform.json"
VARIABLE = "TRADE_PLATFORM"
STAFF = "staff"
STAFF_RIGHTS = (
    "registry.read",
    "registry.write",
    "partners.read",
    "partners.write",
    "keys.read",
    "keys.write",
    "parking.read",
    "parking.write",
    "notices.read",
    "notices.write",
)
"""The rights that go with a development platform's staff key."""


class CliError(Exception):
    """A failure, as one line for the terminal; the exit status is 1."""


class ServiceAddress(BaseModel):
    """One running service."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int = Field(description="Process id")
    grpc: str | None = Field(default=None, description="host:port")
    admin: str | None = Field(default=None, description="Base URL of /livez, /readyz and /metrics")
    http: str | None = Field(default=None, description="Base URL of the service's own door")


class SmtpAddress(BaseModel):
    """The mail server that notices are sent through."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    port: int


class Platform(BaseModel):
    """A running platform."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kafka: str = Field(description="host:port of the broker")
    mongo_url: str
    database: str = Field(description="Which database server runs: secantusdb, mongod, ...")
    keys_dir: Path = Field(description="<issuer>.<kid>.private.pem and .public.pem")
    gateway_url: str
    tracking_url: str
    tracking_user: str = "staff"
    tracking_password_file: Path | None = None
    smtp: SmtpAddress | None = None
    mail_dir: Path | None = None
    logs_dir: Path | None = None
    services: dict[str, ServiceAddress] = Field(default_factory=dict)

    def channel(self, service: str, *, rights: Iterable[str] = STAFF_RIGHTS) -> grpc.aio.Channel:
        """A gRPC channel to a service, with a staff token on every call; needs a running event loop.

        The holder of a development platform's staff key has all rights; `rights` limits those in the token.

        Raises:
            CliError: the service has no gRPC address, this machine has no staff key, or a certificate cannot be used.
        """
        # Imported here so that commands that only use HTTP start faster.
        from chassis.rpc import TokenSigner, connect  # noqa: PLC0415
        from chassis.tls import CertificatesNotRead  # noqa: PLC0415
        from trade_cli.certificates import own_certificates  # noqa: PLC0415

        address = self.services[service].grpc if service in self.services else None
        if address is None:
            raise CliError(f"{service} has no gRPC address in the platform {self.name!r}")
        if not any(self.keys_dir.glob(f"{STAFF}.*.private.pem")):
            raise CliError(f"no staff key in {self.keys_dir}")
        signer = TokenSigner(self.keys_dir, STAFF)
        try:
            certificates = own_certificates()
        except CertificatesNotRead as error:
            raise CliError(str(error)) from None
        return connect(
            address,
            signer,
            audience=service,
            subject=current_person(),
            rights=rights,
            patience_seconds=PATIENCE_SECONDS,
            certificates=certificates,
        )

    def tracking_auth(self) -> tuple[str, str]:
        """User and password of the support console.

        Raises:
            CliError: the password cannot be read.
        """
        if self.tracking_password_file is None:
            raise CliError(f"the platform {self.name!r} has no password file for tracking")
        try:
            return self.tracking_user, self.tracking_password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CliError(f"cannot read the password of tracking: {error.strerror}") from None


def current_person() -> str:
    """The name under which staff commands are recorded: TRADE_STAFF, otherwise the login."""
    return os.environ.get("TRADE_STAFF") or os.environ.get("USER") or "operator"


def load_platform(path: Path | str | None = None) -> Platform:
    """The running platform: from the given file, otherwise $TRADE_PLATFORM, otherwise the default run.

    Raises:
        CliError: none runs, or its file cannot be read.
    """
    file = Path(path or os.environ.get(VARIABLE) or _default_file())
    try:
        return Platform.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise CliError("no platform runs here; start one with `make up`") from None
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in fault["loc"])
        raise CliError(f"{file} is not a platform file: {where or 'the file'}: {fault['msg']}") from None


def ask(service: str, method: Callable[[grpc.aio.Channel], Awaitable[Any]]) -> Any:
    """Call a service of the running platform and return its answer.

    Raises:
        CliError: as `load_platform` and `Platform.channel`.
        grpc.aio.AioRpcError: the service refuses or is unavailable.
    """

    async def asking() -> Any:
        async with load_platform().channel(service) as channel:
            return await method(channel)

    return asyncio.run(asking())


def _default_file() -> Path:
    """The file of the default run: below `TRADE_RUN_DIR`, otherwise this folder or a parent, otherwise the checkout."""
    given = os.environ.get("TRADE_RUN_DIR")
    if given:
        return Path(given) / DEFAULT.relative_to(".run")
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEFAULT).is_file():
            return folder / DEFAULT
    return Path(__file__).parents[3] / DEFAULT
