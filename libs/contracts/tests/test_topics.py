"""The topics table agrees with the event types and with itself."""

import pytest

from contracts.events import event_types
from contracts.topics import EVENT_TOPICS, FOREVER, MIN_INSYNC, PARTITIONS, REPLICATION, Profile, inbox

NAMES = {topic.name for topic in EVENT_TOPICS}


def test_every_event_type_has_its_owners_topic():
    assert {f"{event.owner}.events.{event.version}" for event in event_types().values()} == NAMES


def test_event_topics_are_kept_for_ever_and_written_by_one_service():
    for topic in EVENT_TOPICS:
        assert topic.retention_ms == FOREVER
        assert len(topic.writers) == 1
        assert "tracking" in topic.readers


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_loses_nothing_with_one_broker_down(profile):
    assert PARTITIONS[profile] >= 1
    assert MIN_INSYNC[profile] <= REPLICATION[profile]
    assert profile is Profile.DEV or MIN_INSYNC[profile] == REPLICATION[profile] - 1


def test_a_partners_inbox_is_read_by_the_gateway_alone():
    topic = inbox("port-qd")
    assert (topic.name, topic.writers, topic.readers) == ("inbox.port-qd", ("port-qd",), ("gateway",))
    assert topic.retention_ms > 0


def test_the_broker_says_when_an_inbox_had_a_record_and_services_say_it_of_their_own():
    assert inbox("port-qd").settings(Profile.DEV)["message.timestamp.type"] == "LogAppendTime"
    assert {topic.settings(Profile.DEV)["message.timestamp.type"] for topic in EVENT_TOPICS} == {"CreateTime"}
