"""Bytes and receipt are both durable, or the sender is told to retry."""

from pathlib import Path
from typing import Any

import pytest

from chassis.failures import InfrastructureError
from contracts.partners.v1 import EVENTS
from gateway.receipts.keeping import Original, Receipts, Submission
from gateway.receipts.messages import to_command

GOLDEN = Path(__file__).resolve().parents[3] / "libs" / "contracts" / "golden" / "payloads"
NAME = "trade.partners.exit.confirmed.v1"


class Broken:
    """A store whose writes all fail."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def apply(self, inputs: Any, *, unseen: bool) -> list[Any]:
        if self._error is not None:
            raise self._error
        return []

    async def save(self, originals: Any) -> None:
        await self.apply((), unseen=True)


AWAY, BUG = InfrastructureError("away"), KeyError("a bug")


@pytest.mark.parametrize(
    ("receipts", "originals", "told"),
    [(AWAY, None, AWAY), (None, AWAY, AWAY), (BUG, AWAY, AWAY), (AWAY, BUG, AWAY), (BUG, None, BUG), (None, BUG, BUG)],
)
async def test_of_two_failures_the_temporary_one_is_reported(
    receipts: Exception | None, originals: Exception | None, told: Exception
) -> None:
    payload = EVENTS[NAME].model_validate_json((GOLDEN / f"{NAME}.json").read_bytes())
    submission = Submission(to_command(NAME, payload), Original(b"{}", "application/json"))
    broken: Any = Broken(receipts)
    stored: Any = Broken(originals)
    with pytest.raises(type(told)):
        await Receipts(broken, broken, stored).keep([submission])
