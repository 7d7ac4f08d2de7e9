"""Three releases of the toy, each able to run beside the one before it.

1. the toy as it is;
2. its counters have a further field, and it has learned to read schema 2;
3. it writes schema 2.
"""

from dataclasses import dataclass, fields, replace

from chaos.toy import domain

from chassis.aggregates import AggregateType
from chassis.codec import dataclass_codec

CounterType = AggregateType[domain.Counter, domain.Command, domain.Event]


@dataclass(frozen=True, slots=True)
class NewerCounter(domain.Counter):
    orders: int = 0
    """How many orders were counted, as far as this release did it."""


def counter_of(release: int, first: CounterType) -> CounterType:
    """The counters of a release, made of those of the first one."""
    if release == 1:
        return first
    newer = replace(first, evolve=_evolve, codec=dataclass_codec(NewerCounter), reads=2)
    return newer if release == 2 else replace(newer, schema=2)


def _evolve(state: domain.Counter | None, event: domain.Event) -> domain.Counter:
    after = domain.evolve(state, event)
    if not isinstance(after, NewerCounter):
        after = NewerCounter(**{each.name: getattr(after, each.name) for each in fields(after)})
    return replace(after, orders=after.orders + 1) if isinstance(event, domain.Counted) else after
