"""One admin connection for all callers, and a new one after a failure."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from chassis.broker import connections as kafka
from chassis.settings import KafkaSettings


class Client:
    """The client library's admin clients, in order of creation."""

    made: list["Client"]
    away = False

    def __init__(self, **_: object) -> None:
        self.closed = False
        self.made.append(self)

    async def start(self) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise KafkaConnectionError("away")

    async def close(self) -> None:
        self.closed = True

    async def answer(self, error: Exception | None = None) -> str:
        if error is not None:
            raise error
        return "answered"


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> kafka.Admin:
    monkeypatch.setattr(Client, "made", [], raising=False)
    monkeypatch.setattr(Client, "away", False)
    monkeypatch.setattr(kafka, "AIOKafkaAdminClient", Client)
    return kafka.Admin(KafkaSettings())


async def test_all_who_ask_at_once_share_one_connection(admin: kafka.Admin) -> None:
    assert await asyncio.gather(*(admin.ask(Client.answer) for _ in range(5))) == 5 * ["answered"]
    assert [each.closed for each in Client.made] == [False]
    await admin.stop()
    assert [each.closed for each in Client.made] == [True]


@pytest.mark.parametrize("error", [KafkaConnectionError("away"), TimeoutError()])
async def test_after_a_failure_the_next_question_goes_by_a_new_connection(admin: kafka.Admin, error: Exception) -> None:
    with pytest.raises(type(error)):
        await admin.ask(lambda client: Client.answer(client, error))
    assert await admin.ask(Client.answer) == "answered"
    assert [each.closed for each in Client.made] == [True, False]


async def test_a_connection_that_does_not_open_leaves_nothing_behind(admin: kafka.Admin) -> None:
    Client.away = True
    with pytest.raises(KafkaConnectionError):
        await admin.ask(Client.answer)
    Client.away = False
    assert await admin.ask(Client.answer) == "answered"
    assert [each.closed for each in Client.made] == [True, False]
