"""Three releases of a type of aggregates, each able to run beside the one before it.

1. the type as it is;
2. its state has a further field, and it has learned to read schema 2;
3. it writes schema 2.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from chassis.aggregates import AggregateType
from chassis.aggregates.codec import Codec

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E")


def of_release(
    number: int, first: AggregateType[S, C, E], *, evolve: Callable[[S | None, E], S], codec: Codec[S]
) -> AggregateType[S, C, E]:
    """The type of a release, made of that of the first one.

    Args:
        evolve: of the later releases: fills the further field.
        codec: of the later releases: stores it.
    """
    if number == 1:
        return first
    newer = replace(first, evolve=evolve, codec=codec, reads=2)
    return newer if number == 2 else replace(newer, schema=2)
