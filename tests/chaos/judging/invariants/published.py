"""2: events on the topic = events in the histories, 1..n per aggregate, same contents, in order, no gap."""

from chaos.judging import core_checks
from chaos.judging.verdicts import Verdict
from chaos.judging.world import World

from contracts.topics import EVENT_TOPICS


def published(world: World) -> Verdict:
    """Topics and histories agree."""
    return Verdict(2, *core_checks.published(world, [topic.name for topic in EVENT_TOPICS]))
