"""Three releases of the toy: the later ones count the orders in a further field."""

from dataclasses import dataclass, fields, replace

from chaos.releases.succession import of_release
from chaos.toy import domain

from chassis.aggregates import AggregateType
from chassis.aggregates.codec import dataclass_codec

CounterType = AggregateType[domain.Counter, domain.Command, domain.Event]


@dataclass(frozen=True, slots=True)
class NewerCounter(domain.Counter):
    orders: int = 0
    """How many orders were counted, as far as these releases did it."""


def counter_of(release: int, first: CounterType) -> CounterType:
    """The counters of a release, made of those of the first one."""
    return of_release(release, first, evolve=_evolve, codec=dataclass_codec(NewerCounter))


def _evolve(state: domain.Counter | None, event: domain.Event) -> domain.Counter:
    after = domain.evolve(state, event)
    if not isinstance(after, NewerCounter):
        after = NewerCounter(**{each.name: getattr(after, each.name) for each in fields(after)})
    return replace(after, orders=after.orders + 1) if isinstance(event, domain.Counted) else after
