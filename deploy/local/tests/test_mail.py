"""The development mail server keeps the latest mails, up to its limit."""

from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope

from launcher import mail
from launcher.mail import Sink


def a_mail(number: int) -> Envelope:
    envelope = Envelope()
    envelope.content = f"Message-ID: <{number}@trade>\r\n\r\n".encode()
    envelope.rcpt_tos = ["b@example.org"]
    return envelope


async def test_the_latest_mails_are_kept_also_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "KEPT", 3)
    nobody: Any = None
    for numbers in (range(4), range(4, 6)):
        sink = Sink(tmp_path)
        for number in numbers:
            assert await sink.handle_DATA(nobody, nobody, a_mail(number)) == "250 kept"
    kept = [path.read_text().splitlines()[1] for path in sorted(tmp_path.glob("*.eml"))]
    assert kept == [f"Message-ID: <{number}@trade>" for number in (3, 4, 5)]
