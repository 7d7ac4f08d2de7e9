"""Rights on Kafka follow from the topics table."""

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.kafka_rights import Right, operations_on, rights_of, rights_of_partner
from contracts.topics import EVENT_TOPICS, SERVICES, inbox


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_what_the_table_says_and_change_or_delete_nothing(service: str) -> None:
    given = {(right.kind, right.name): set(right.operations) for right in rights_of(service)}
    for topic in EVENT_TOPICS:
        allowed = given.get(("topic", topic.name), set())
        assert ("Write" in allowed) == (service in topic.writers)
        assert ("Read" in allowed) == (service in topic.readers or service == topic.owner)
        assert ("Create" in allowed) == (service == topic.owner)
        assert allowed == set(operations_on(topic, service))
        assert not allowed or {"Describe", "DescribeConfigs"} <= allowed
    assert not {"All", "Alter", "AlterConfigs", "Delete"} & set().union(*given.values())
    assert {name for kind, name in given if kind == "group"} <= {service}, "no service reads as another"


def test_the_gateway_alone_has_the_inboxes_and_a_partner_its_own() -> None:
    inboxes = Right("topic", "inbox.", ("Create", "Describe", "DescribeConfigs", "Read"), prefixed=True)
    assert {service for service in SERVICES if inboxes in rights_of(service)} == set(inbox("port").readers)
    assert rights_of_partner("port") == (Right("topic", "inbox.port", ("Describe", "Write")),)


def test_the_page_is_what_the_table_says() -> None:
    script = Path(__file__).parents[1] / "kafka_rights_page.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
