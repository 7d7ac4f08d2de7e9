"""A broker that refuses to create or show a topic: one line with the topic, the missing right and what to do."""

import pytest

from chassis.broker import TopicsRefused
from chassis.broker.topic_making import _allowed, _refuse


@pytest.mark.parametrize("right", ["Create", "AlterConfigs"])
def test_a_missing_right_to_make_a_topic_is_named(right: str) -> None:
    with pytest.raises(TopicsRefused, match=rf"^a\.v1: .*lacks the right {right} on the topic.*allow it"):
        _refuse([("b.v1", 0), ("a.v1", 29)], right)


@pytest.mark.parametrize("right", ["Describe", "DescribeConfigs"])
def test_a_missing_right_to_see_a_topic_is_not_waited_for(right: str) -> None:
    _allowed([("a.v1", 5, right)])
    with pytest.raises(TopicsRefused, match=rf"^a\.v1: .*lacks the right {right} on the topic"):
        _allowed([("a.v1", 29, right)])


def test_what_else_the_broker_refuses_is_named_as_the_broker_names_it() -> None:
    with pytest.raises(TopicsRefused, match=r"^Kafka refused the topic a\.v1: InvalidReplicationFactorError\.$"):
        _refuse([("a.v1", 38)], "Create")
