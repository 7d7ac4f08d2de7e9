"""A broker that lets this user see or set only some topics: one line a topic says which right is missing.

The broker's own command sets the rights, and its authorizer refuses: what the client library makes of that is its own.
"""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator

import pytest

from chassis.broker.connections import Admin
from chassis.broker.topic_check import TopicMismatch, check_topics
from chassis.settings import KafkaSettings
from contracts.topics import Profile, Topic, inbox
from launcher import jars, kafka
from launcher.failures import LauncherError
from launcher.kafka import JarKafka
from launcher.ports import PortBlock
from launcher.progress import silent
from launcher.topics import create_topics

FREE, SEEN, HIDDEN, ABSENT = (inbox(name) for name in ("free", "seen", "hidden", "absent"))
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker where everybody may do everything with FREE, see that SEEN is there, and do nothing with HIDDEN."""
    if (missing := jars.what_is_missing()) is not None:
        pytest.skip(f"a broker with rights runs from jars here: {missing}")
    folder, ports = tmp_path_factory.mktemp("guarded"), PortBlock()
    chosen = ports.choose(["kafka", "kafka-controller"], {})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kafka, "SETTINGS", {**kafka.SETTINGS, **AUTHORIZER})
        broker = JarKafka(folder / "kafka", folder, port=chosen["kafka"], controller_port=chosen["kafka-controller"])
        await broker.start(silent)
    try:
        await create_topics(broker.address, [FREE, SEEN, HIDDEN])
        await asyncio.to_thread(_allow, broker.address, SEEN, "Describe", to="ANONYMOUS")
        await asyncio.to_thread(_allow, broker.address, HIDDEN, "Describe", to="somebody-else")
        yield broker.address
    finally:
        await broker.stop()
        ports.release()


def _allow(address: str, topic: Topic, right: str, *, to: str) -> None:
    """Let one user do one thing with a topic, and by that nobody else anything."""
    program = [str(jars.find_java()), "-cp", f"{jars.jars_folder()}/*", "org.apache.kafka.tools.AclCommand"]
    order = ["--add", "--allow-principal", f"User:{to}", "--operation", right, "--topic", topic.name]
    subprocess.run([*program, "--bootstrap-server", address, *order], check=True, capture_output=True, timeout=60)


async def test_each_missing_right_is_one_line_and_a_missing_topic_is_another(guarded: str) -> None:
    admin = Admin(KafkaSettings(bootstrap_servers=guarded))
    try:
        with pytest.raises(TopicMismatch) as refused:
            await check_topics(admin, Profile.DEV, [FREE, SEEN, HIDDEN, ABSENT])
    finally:
        await admin.stop()
    lines = sorted(str(refused.value).splitlines())
    assert lines == [
        f"{ABSENT.name} is missing; create the topics first",
        *(line for line in lines if "lacks the right" in line),
    ]
    assert [re.findall(r"^(\S+): .* right (\w+) on the topic", line) for line in lines[1:]] == [
        [(HIDDEN.name, "Describe")],
        [(SEEN.name, "DescribeConfigs")],
    ]


@pytest.mark.parametrize("topic", [SEEN, HIDDEN], ids=["seen", "hidden"])
async def test_the_launcher_names_the_right_that_it_lacks(guarded: str, topic: Topic) -> None:
    line = rf"^{re.escape(topic.name)}: .* lacks the right DescribeConfigs on the topic"
    with pytest.raises(LauncherError, match=line):
        await create_topics(guarded, [topic])
