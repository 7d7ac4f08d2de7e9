"""If the broker does not describe a topic, one line says why and what to do; unknown never counts as missing."""

from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, LeaderNotAvailableError

from chassis.broker.topic_check import TopicMismatch, check_topics
from contracts.topics import PARTITIONS, REPLICATION, Profile, inbox

TOPICS = [inbox(partner) for partner in ("one", "two")]
ONE, TWO = (topic.name for topic in TOPICS)
TAKES, MISSING, NO_LEADER, NOT_ALLOWED, NOT_ALLOWED_ON_CLUSTER = 0, 3, 5, 29, 31


class Broker:
    """A broker that answers with these codes for the topic `two`, and describes nothing that it refuses."""

    def __init__(self, describe: int = TAKES, configs: int = TAKES) -> None:
        self._codes = {"describe": {TWO: describe}, "configs": {TWO: configs}}

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        return await question(self)

    async def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        replicas = [{"replicas": range(REPLICATION[Profile.DEV])}] * PARTITIONS[Profile.DEV]
        return [
            {"topic": name, "error_code": code, "partitions": [] if code else replicas}
            for name in names
            for code in [self._codes["describe"].get(name, TAKES)]
        ]

    async def describe_configs(self, asked: Sequence[Any]) -> list[Any]:
        settings = {topic.name: [*topic.settings(Profile.DEV).items()] for topic in TOPICS}
        resources = [
            (code, None, 2, each.name, [] if code else settings[each.name])
            for each in asked
            for code in [self._codes["configs"].get(each.name, TAKES)]
        ]
        return [SimpleNamespace(resources=resources)]


async def lines(broker: Broker) -> list[str]:
    try:
        await check_topics(broker, Profile.DEV, TOPICS)  # type: ignore[arg-type]
    except TopicMismatch as error:
        return str(error).splitlines()
    return []


async def test_topics_that_are_as_the_table_says_pass() -> None:
    assert await lines(Broker()) == []


@pytest.mark.parametrize("code", [NOT_ALLOWED, NOT_ALLOWED_ON_CLUSTER])
@pytest.mark.parametrize(("asked", "right"), [("describe", "Describe"), ("configs", "DescribeConfigs")])
async def test_a_missing_right_is_one_line_with_the_topic_the_right_and_what_to_do(
    asked: str, right: str, code: int
) -> None:
    (line,) = await lines(Broker(**{asked: code}))
    assert line.startswith(f"{TWO}: ")
    assert f"the right {right} on the topic" in line
    assert "allow it" in line
    assert "create" not in line


@pytest.mark.parametrize("asked", ["describe", "configs"])
async def test_a_missing_topic_is_one_line_that_says_to_create_it(asked: str) -> None:
    assert await lines(Broker(**{asked: MISSING})) == [f"{TWO} is missing; create the topics first"]


@pytest.mark.parametrize("asked", ["describe", "configs"])
async def test_a_topic_of_which_the_broker_cannot_say_now_is_not_called_missing(asked: str) -> None:
    with pytest.raises(LeaderNotAvailableError):
        await lines(Broker(**{asked: NO_LEADER}))
    assert issubclass(LeaderNotAvailableError, KafkaError), "so that a start waits for it"
