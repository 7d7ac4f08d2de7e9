"""The command `trade`: loads the module of a subcommand on demand, and reports failures in one line.

Each subcommand is a module of this package with an `app` (a `typer.Typer`). A module is imported only when its command
is used or listed, so that a missing dependency of one command does not break another.
"""

import importlib
import importlib.util
import sys
from typing import Any

import grpc
import httpx2
import typer
from typer.core import TyperGroup

from chassis.telemetry import calm_stderr
from trade_cli.platform import CliError

COMMANDS = ("trace", "send", "parked", "registry", "partners", "keys", "simulate", "demo", "dev")
"""Subcommands in the order of the help text; each is the module `trade_cli.<name>`."""

INTERRUPTED = 130


class Commands(TyperGroup):
    """The subcommands, imported on demand."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return [name for name in COMMANDS if importlib.util.find_spec(f"trade_cli.{name}") is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            module = importlib.import_module(f"trade_cli.{cmd_name}")
        except ImportError as error:
            raise CliError(f"{cmd_name} cannot be loaded: {error}") from error
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            # Options are validated by pydantic, which prefixes the message with the kind of its exception.
            error.message = error.message.removeprefix("Value error, ")
            raise
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except (CliError, OSError, UnicodeError, httpx2.HTTPError, grpc.RpcError) as error:
            print(f"trade: {in_one_line(error)}", file=sys.stderr)
            raise typer.Exit(1) from None


def in_one_line(error: BaseException) -> str:
    """A failure in one line, for a person."""
    match error:
        case grpc.aio.AioRpcError():
            words = f"{error.code().name.lower().replace('_', ' ')}: {error.details() or 'no details'}"
        case httpx2.ConnectError():
            words = f"nothing answers at {error.request.url.host}:{error.request.url.port}; is the platform up?"
        case UnicodeError():
            # Its own message shows the whole text, which may be a key.
            words = "a file or an argument contains characters that are not allowed there"
        case httpx2.HTTPError():
            words = f"{type(error).__name__}: {error}"
        case _:
            words = str(error) or type(error).__name__
    return " ".join(words.split())


app = typer.Typer(
    cls=Commands,
    name="trade",
    help="Cross-border trade platform: follow shipments, send documents, repair failures, simulate load.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Examples:  trade trace 6CN91370200MA3C  |  trade parked list --json  |  trade COMMAND --help",
)


@app.callback()
def root() -> None:
    """Cross-border trade platform: follow shipments, send documents, repair failures, simulate load."""
    calm_stderr()


if __name__ == "__main__":
    app()
