"""`trade demo`: starts a platform, plays one shipment from lodging to closing, and stops everything.

With `--here` it plays the shipment on the platform that already runs, for instance in a cluster, and leaves it running.
"""

import json
import os
import shutil
import time
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer
from rich.console import Console

from launcher import interrupt
from launcher.failures import LauncherError
from launcher.layout import run_root
from launcher.platform import Platform as Launched
from trade_cli.demo_crash import PLAN, Crashes
from trade_cli.demo_facts import facts
from trade_cli.demo_story import Story
from trade_cli.demo_summary import languages_told, received_mails, show_summary
from trade_cli.doors import doors
from trade_cli.enrolment import issue_keys, register
from trade_cli.languages import Language, spoken
from trade_cli.platform import CliError, Platform, load_platform
from trade_cli.trace import step_line
from trade_cli.tracking_client import View, tracking

INTERRUPTED = 130

app = typer.Typer()


@app.command(
    epilog="Examples:  trade demo  |  trade demo --crash  |  trade demo --json --lang zh  |  trade demo --here"
)
def demo(
    crash: Annotated[bool, typer.Option("--crash", help="Kill every service once on the way (SIGKILL).")] = False,
    here: Annotated[bool, typer.Option("--here", help="Play on the platform that runs already; it stays up.")] = False,
    language: Language = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Start a platform, play one real shipment through its public doors, show it, stop everything.

    Exit status 0 if the shipment was closed and every service did its part.
    """
    if crash and here:
        raise CliError("--crash kills what the demonstration has started itself; leave --here or --crash away")
    console = Console(stderr=as_json, width=None if os.isatty(1) else 180)
    play = _demo_here(console, language=spoken(language), as_json=as_json) if here else None
    try:
        done = interrupt.run(play or _demo(console, crash=crash, language=spoken(language), as_json=as_json))
    except interrupt.Interrupted:
        console.print("Interrupted." if here else "Interrupted; everything was stopped.")
        raise typer.Exit(INTERRUPTED) from None
    except LauncherError as error:
        raise CliError(str(error)) from None
    raise typer.Exit(0 if done else 1)


async def _demo(console: Console, *, crash: bool, language: str, as_json: bool) -> bool:
    started = time.monotonic()
    folder = run_root() / f"demo-{os.getpid()}"
    launched = Launched(folder, report=lambda line: console.print(line, style="dim", markup=False))
    try:
        async with launched:
            platform = load_platform(launched.layout.description)
            up = f"Platform up in {time.monotonic() - started:.1f} s. Console: {platform.tracking_url}"
            console.print(up, style="dim")
            crashes = Crashes(launched)
            story = await _play(console, platform, crashes, crash=crash, language=language)
            mails = received_mails(launched.layout.mail)
            show_summary(console, story, mails, crashes.kills)
            spoken = languages_told(mails, {each.email: each.language for each in story.facts.enterprises})
            done = _complete(story, crashes, crash=crash) and spoken >= story.facts.languages
            if as_json:
                print(json.dumps(_as_json(story, crashes, mails), ensure_ascii=False, default=str))
    except BaseException:
        console.print(f"Logs are kept in {folder / 'logs'}", style="dim", markup=False)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    _end(console, started, done=done)
    return done


async def _demo_here(console: Console, *, language: str, as_json: bool) -> bool:
    """On the platform that runs; its mails lie elsewhere, what was sent is seen by the notices."""
    started, platform, crashes = time.monotonic(), load_platform(), Crashes(_Nobody())
    story = await _play(console, platform, crashes, crash=False, language=language)
    show_summary(console, story, [], [])
    done = _complete(story, crashes, crash=False)
    if as_json:
        print(json.dumps(_as_json(story, crashes, []), ensure_ascii=False, default=str))
    _end(console, started, done=done)
    return done


class _Nobody:
    """In place of a launched platform: nothing is killed that was not started here."""

    async def kill(self, service: str) -> None:
        raise CliError(f"{service} was not started here")

    async def restart(self, service: str) -> None:
        raise CliError(f"{service} was not started here")


def _end(console: Console, started: float, *, done: bool) -> None:
    ending = "The shipment is closed." if done else "The shipment was not closed, or a service did not come back."
    console.print(f"{ending} {time.monotonic() - started:.1f} s in all.", style="bold")


async def _play(console: Console, platform: Platform, crashes: Crashes, *, crash: bool, language: str) -> Story:
    """Enrol the parties and play the story to its end."""
    told = facts()
    await register(platform, told.enterprises)
    keys = await issue_keys(platform, told.enterprises, told.partners, label="demonstration")

    async def nothing(view: View) -> None:  # noqa: ARG001 - nobody is killed
        return None

    async with AsyncExitStack() as stack:
        stack.push_async_callback(crashes.give_up)
        story = Story(
            facts=told,
            keys=keys,
            doors=await stack.enter_async_context(doors(platform)),
            tracking=await stack.enter_async_context(tracking(platform, language)),
            show=lambda step: console.print(step_line(step), soft_wrap=True),
            on_progress=crashes.on_progress if crash else nothing,
        )
        await story.play()
        await crashes.all_back()
    return story


def _complete(story: Story, crashes: Crashes, *, crash: bool) -> bool:
    """Whether the shipment closed, the match was seen and, with `crash`, every service was killed once."""
    closed = bool(story.view["situations"]) and all(each["where"] == "closed" for each in story.view["situations"])
    planned = {service for services in PLAN.values() for service in services} if crash else set()
    return closed and bool(story.match) and {kill.service for kill in crashes.kills} == planned


def _as_json(story: Story, crashes: Crashes, mails: list[Any]) -> dict[str, Any]:
    return {
        "shipment": story.view,
        "match": story.match,
        "mails": [{"to": each.to, "subject": each.subject, "message_id": each.message_id} for each in mails],
        "kills": [
            {"service": each.service, "after": each.after, "at": each.at, "back_after_seconds": each.back_after_seconds}
            for each in crashes.kills
        ],
    }
