"""A command that is turned away retries when the answer says, and reports it if that does not help."""

import httpx2
import pytest

from trade_cli.coming_again import again_seconds
from trade_cli.doors import Doors
from trade_cli.platform import CliError
from trade_cli.tracking_client import TrackingClient

BUSY = httpx2.Response(503, headers={"retry-after": "0"}, json={"title": "busy", "detail": "come again"})


class Answers:
    """A server that gives the answers in turn, then repeats the last one."""

    def __init__(self, *answers: httpx2.Response) -> None:
        self.left = list(answers)
        self.asked = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        given = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return httpx2.Response(given.status_code, headers=given.headers, content=given.content)

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self), base_url="http://x")


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {"retry-after": "2"}, 2),
        (429, {"retry-after": "1"}, 1),
        (503, {}, 0.5),
        (502, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.5),
        (503, {"retry-after": "86400"}, 10),
        (503, {"retry-after": "-1"}, 0),
        (500, {"retry-after": "2"}, None),
        (202, {}, None),
        (404, {}, None),
    ],
)
def test_an_answer_says_when_to_come_again(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert again_seconds(httpx2.Response(status, headers=headers), 0.5) == seconds


async def test_tracking_is_asked_again_until_it_has_room() -> None:
    server = Answers(BUSY, BUSY, httpx2.Response(200, json={"known": True}))
    async with server.client() as http:
        assert (await TrackingClient(http, "en").shipment("6CN1"))["known"] is True
    assert server.asked == 3


async def test_where_the_patience_ends_it_is_said_why() -> None:
    server = Answers(BUSY)
    async with server.client() as http:
        with pytest.raises(CliError, match=r"503.*come again"):
            await TrackingClient(http, "en", patience_seconds=-1).shipment("6CN1")
    assert server.asked == 1


async def test_a_submission_is_given_again_until_it_is_taken() -> None:
    server = Answers(BUSY, httpx2.Response(202, json={"id": "R-1"}))
    async with server.client() as http:
        assert (await Doors(http, 30).lodge("key", {}))["id"] == "R-1"
    assert server.asked == 2


async def test_a_refusal_is_not_repeated() -> None:
    server = Answers(httpx2.Response(422, json={"title": "wrong"}))
    async with server.client() as http:
        with pytest.raises(CliError, match="422"):
            await Doors(http, 30).lodge("key", {})
    assert server.asked == 1
