"""Every kind of input of a toy, once: a fault must not harm any of them."""

import asyncio

from chaos.toy.load import Load
from chaos.toy.oracle import Order, Way

PAY_WITHIN_SECONDS = 6.0
"""Long enough for a punctual payment to be told beside all the rest."""
LONG_HISTORY = 520
"""So many inputs make a counter move its oldest lines out."""


async def tell_everything(load: Load, door: str, *, long_history: bool = False) -> None:
    """Orders of every kind, also at the door; payments in time, before their bill, and none; unreadable records.

    The refused order parks its counter, with three good orders behind it.

    Raises:
        TimeoutError: the door did not take its orders in a minute.
    """
    refused = load.order(counters=("c9",), amount=-5, key="Kc9")
    behind = [load.order(counters=("c9",), key="Kc9") for _ in range(3)]
    paid, early = load.order(pay_within=PAY_WITHIN_SECONDS), load.order(pay_within=PAY_WITHIN_SECONDS)
    unpaid = load.order(pay_within=0.4)
    at_the_door = [load.order(Way.DOOR, counters=(f"d{number}",)) for number in range(6)]
    long = [load.order(counters=("long",), key="Klong") for _ in range(LONG_HISTORY)] if long_history else []
    async with asyncio.TaskGroup() as group:
        group.create_task(load.knock(at_the_door, door))
        group.create_task(load.place([*load.mixed(28), refused, *behind, *long]))
        group.create_task(load.send_raw(b"{", [("ce_id", b"\xff")], "Kunreadable"))
        group.create_task(_bill(load, paid, unpaid, early))


async def _bill(load: Load, paid: Order, unpaid: Order, early: Order) -> None:
    await load.pay(early)
    await load.place([paid, unpaid, early])
    await load.pay(paid)
