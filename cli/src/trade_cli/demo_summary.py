"""The summary at the end of the demonstration."""

import email
import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trade_cli.demo_crash import Kill
from trade_cli.demo_story import Story
from trade_cli.trace import behind_the_scenes


@dataclass(frozen=True, slots=True)
class Mail:
    """A notice received by the mail server."""

    to: str
    subject: str
    language: str
    message_id: str
    body: str


def received_mails(folder: Path) -> list[Mail]:
    """The mails in the mail server's folder, in order of arrival."""
    return [_mail(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]


def _mail(content: bytes) -> Mail:
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    return Mail(
        to=str(message.get("X-Envelope-To", message.get("To", ""))),
        subject=str(message.get("Subject", "")),
        language=str(message.get("Content-Language", "")),
        message_id=str(message.get("Message-ID", "")),
        body=body.get_content() if body is not None else "",
    )


def show_summary(console: Console, story: Story, mails: Sequence[Mail], kills: Sequence[Kill]) -> None:
    """Print steps, notices, duty, match and killed services."""
    console.rule(f"Shipment {story.view['ucr']}")
    console.print(_steps(story.view["steps"]))
    hidden = sum(1 for step in story.view["steps"] if behind_the_scenes(step))
    console.print(Text(f"and {hidden} steps of sending notices; `trade trace` shows them too", style="dim"))
    console.rule("Notices")
    console.print(_mail_table(mails, {each.email: each.language for each in story.facts.enterprises}))
    console.rule("Duties")
    for duty in story.view["duties"]:
        for line in duty["lines"]:
            console.print(Text(f"item {line['item']}, {line['tax_text']}: {line['formula']}"))
        console.print(Text(f"in all {duty['total']}, by {duty['tariff']}", style="bold"))
    console.rule("Match")
    for match in story.match.get("matches", ()):
        console.print(Text(f"{match['match_id']}: score {match['score']}", style="bold"))
        for reason in match["reasons"]:
            console.print(Text(f"  {reason['points']:>3} of {reason['weight']:<3} {reason['text']}"))
        for missed in match["missed"]:
            console.print(Text(f"    missed   {missed['text']}", style="dim"))
    if kills:
        console.rule("Services killed (SIGKILL)")
        for kill in sorted(kills, key=lambda each: each.at):
            back = f"ready again after {kill.back_after_seconds:.1f} s"
            console.print(Text(f"{kill.at:%H:%M:%S}Z  {kill.service:<14} after {kill.after}; {back}"))


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("event time", "who", "what", "event id", "trace id"):
        table.add_column(name, overflow="fold", no_wrap=name == "event time")
    for step in steps:
        if behind_the_scenes(step):
            continue
        cells = (
            (step["happened_at"] or step["expected_at"])["utc"],
            step["actor"],
            step["text"],
            step["id"],
            step["trace_id"],
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _mail_table(mails: Sequence[Mail], languages: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("language", "to", "subject", "first line"):
        table.add_column(name, overflow="fold")
    for mail in mails:
        lines = [line for line in mail.body.splitlines() if line.strip()]
        language = mail.language or languages.get(mail.to, "")
        cells = (language, mail.to, mail.subject, lines[1] if len(lines) > 1 else "")
        table.add_row(*(Text(cell) for cell in cells))
    return table


def languages_told(mails: Sequence[Mail], languages: Mapping[str, str]) -> frozenset[str]:
    """The languages of the mails received, by their header, otherwise by their recipient."""
    return frozenset(mail.language or languages.get(mail.to, "") for mail in mails)
