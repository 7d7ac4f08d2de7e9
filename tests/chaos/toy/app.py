"""Everything the toy is made of."""

from chaos.toy.aggregates import LETTER, counter_type, subscriptions
from chaos.toy.clock import ClockAhead
from chaos.toy.domain import PassDeadline, Rules
from chaos.toy.doors import RIGHTS, Door, Peer
from chaos.toy.newer_counter import counter_of
from chaos.toy.post import letter_effect, limits, send_to
from chaos.toy.settings import ToySettings

from chassis.assembly import Assembly
from chassis.clock import Clock
from chassis.waiting import Passing
from contracts.topics import Topic


def events_topic(name: str) -> Topic:
    """The toy's own topic."""
    return Topic(name, "toy", ("toy",), ("toy",), "what it was ordered under")


def build(settings: ToySettings, clock: Clock | None = None) -> Assembly:
    """The service, ready to run."""
    wrong = ClockAhead(settings.clock_ahead_seconds) if settings.clock_ahead_seconds else None
    service = Assembly(settings, clock=clock or wrong)
    own = events_topic(settings.events)
    counters = service.aggregates(counter_of(settings.release, counter_type(Rules(settings.mended.exists))), topic=own)
    letters = service.aggregates(LETTER, topic=own)
    for subscription in subscriptions(settings.orders, settings.events, counters, letters):
        service.subscribe(subscription)
    if settings.peers:
        service.pending(counters, Peer(service.peer(settings.name)), name="question")
    service.timers(counters, lambda _: Passing("bill", PassDeadline()))
    if settings.sink:
        actor = f"service:{settings.name}/{settings.instance}"
        effect = letter_effect(lambda id_: send_to(settings.sink, id_), actor)
        service.effects(letters, effect, limits(settings.claim_seconds))
    door = Door(counters)
    service.grpc(door.register, rights=RIGHTS)
    return service
