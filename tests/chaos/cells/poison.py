"""Cells with unprocessable records: every kind in the middle of a batch, a flood of them, one of gigabytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from chaos.cells.deliveries import GROUP
from chaos.cells.ground import Cell, Ground
from chaos.cells.scene import Scene, scene
from chaos.harness.batches import bomb, with_header_name
from chaos.harness.processes import peak_bytes
from chaos.judging.verdicts import Verdict
from chaos.toy.messages import ORDER_PLACED
from chaos.toy.oracle import Order
from chaos.toy.settling import all_read, settled
from chaos.toy.staff import clear, desk, parked

from chassis.consuming.rest import BACKOFF_SECONDS
from chassis.delivery.breaker import BREAKER_PARKS
from chassis.testing import eventually
from contracts.envelope import Envelope
from contracts.topics import MAX_MESSAGE_BYTES
from trade.parking.v1 import parking_pb2 as pb

Header = tuple[str, bytes | None]

LONGEST_REST_SECONDS = BACKOFF_SECONDS[1]
BOMB_MEBIBYTES = 1536
MEMORY_BYTES = 400 * 1_048_576
"""A toy's memory limit during the bomb: some four times its use at rest, a quarter of the bomb."""
TOO_LARGE = 950_000
"""Length of a field that the event repeats: more than an event may have, less than a record may."""


def headers(kind: str = ORDER_PLACED, **changed: bytes | None) -> list[Header]:
    """The headers of a good order, with changes."""
    envelope = Envelope("bad/0.1", "/trade/tests", kind, datetime.now(UTC), "bad", 1, "K", "test", "service:tests")
    return [(name, changed.get(name, value)) for name, value in envelope.headers()]


_GOOD = b'{"number": "bad", "counters": ["bad"], "amount": 1, "key": "K"}'

KINDS: dict[str, tuple[bytes | None, list[Header], str]] = {
    "no JSON": (b"\xff\x00{", headers(), "schema"),
    "no header": (_GOOD, [], "undecodable"),
    "no time": (_GOOD, headers(ce_time=b"yesterday"), "undecodable"),
    "another envelope": (_GOOD, headers(ce_specversion=b"0.3"), "undecodable"),
    "a null header": (_GOOD, headers(ce_source=None), "undecodable"),
    "a header that is no UTF-8": (_GOOD, headers(ce_actor=b"\xff\xfe"), "undecodable"),
    "an unknown version": (_GOOD, headers("trade.toys.order.placed.v9"), "unknown_version"),
    "another schema": (b'{"number": 5}', headers(), "schema"),
    "no value": (None, headers(), "undecodable"),
}
"""Value, headers, and the reason of its parking."""


@dataclass
class Lane:
    """The records of one key, for the counter of the same name."""

    key: str
    reason: str
    before: list[Order]
    behind: list[Order]
    """Including the refused order itself, if a fixed build accepts it."""


async def every_kind(ground: Ground) -> Sequence[Verdict]:
    """Each kind between good orders of its own key and of other keys; then staff redrive or discard it."""
    async with scene(ground) as on:
        beside = on.load.mixed(14)
        await on.load.place(beside[:7])
        lanes = await _lay_out(on)
        await on.load.place(beside[7:])
        await on.replica.start()
        await on.until_taken(*beside, *(order for lane in lanes for order in lane.before))
        await eventually(lambda: _parked_as_they_must(on, lanes), within_seconds=30.0, every_seconds=0.3)
        await settled(on.stage, on.oracle, parked=True)
        on.stage.mended.touch()
        await clear(on.stage, on.replica)
        verdicts = await settled(on.stage, on.oracle)
        for lane in lanes:
            taken, told = await on.orders_at(lane.key), [order.id for order in (*lane.before, *lane.behind)]
            assert taken == told, f"{lane.key} took {taken}, it was told {told}"
        return verdicts


async def _lay_out(on: Scene) -> list[Lane]:
    lanes = [_lane(on, f"P{number}", reason) for number, (_, _, reason) in enumerate(KINDS.values())]
    for lane, (value, given, _) in zip(lanes, KINDS.values(), strict=True):
        await on.load.place(lane.before)
        own = [(name, lane.key.encode() if name == "ce_id" else told) for name, told in given]
        await on.load.send_raw(value, own, lane.key)
        await on.load.place(lane.behind)
    named = _lane(on, "Pname", "undecodable")
    await on.load.place(named.before)
    await on.load.send_batch(with_header_name(b"\xff\xfe", b"Pname", _GOOD), "Pname")
    await on.load.place(named.behind)
    bug = _lane(on, "Pbug", "refused")
    bug.behind.insert(0, on.load.order(counters=("Pbug",), key="Pbug", amount=-5))
    await on.load.place([*bug.before, *bug.behind])
    return [*lanes, named, bug]


def _lane(on: Scene, key: str, reason: str) -> Lane:
    before, behind = ([on.load.order(counters=(key,), key=key) for _ in range(2)] for _ in range(2))
    return Lane(key, reason, before, behind)


async def _parked_as_they_must(on: Scene, lanes: Sequence[Lane]) -> bool:
    async with desk(on.stage, on.replica) as staff:
        waiting = sorted(await parked(staff), key=lambda each: each.offset)
    for lane in lanes:
        reasons = [each.reason for each in waiting if each.target.rpartition("|")[2] == lane.key]
        assert reasons == [lane.reason, "behind", "behind"], f"{lane.key}: {reasons}"
    assert len(waiting) == 3 * len(lanes), f"{len(waiting)} are parked, of {len(lanes)} keys"
    return True


async def flood(ground: Ground, *, refused: bool) -> Sequence[Verdict]:
    """More parked for one reason than allowed per minute: consumption pauses with an alarm until staff clear it.

    Args:
        refused: whether the flood is of orders that this build refuses; else of unreadable records.
    """
    async with scene(ground) as on:
        before = on.load.mixed(7)
        await on.load.place(before)
        await on.replica.start()
        await settled(on.stage, on.oracle)
        for number in range(BREAKER_PARKS + 10):
            key = f"F{number}"
            if refused:
                await on.load.place([on.load.order(counters=(key,), key=key, amount=-1)])
            else:
                await on.load.send_raw(b"{}", headers(), key)
        await eventually(lambda: _breaker(on, 1), within_seconds=30.0)
        held = on.load.order(counters=("held",), key="Kheld")
        await on.load.place([held])
        # Two of its pauses: during all that time nothing may be consumed.
        rested = len(on.replica.said("consumption_rests"))
        await eventually(lambda: _rested(on, rested + 2), within_seconds=2 * LONGEST_REST_SECONDS + 15.0)
        assert not await on.orders_at("held"), "it was taken while the breaker was open"
        assert on.replica.said("breaker_open")
        on.stage.mended.touch()
        await eventually(lambda: _all_cleared(on), within_seconds=LONGEST_REST_SECONDS + 60.0)
        await eventually(lambda: _breaker(on, 0), within_seconds=30.0)
        return await settled(on.stage, on.oracle)


async def _breaker(on: Scene, wanted: int) -> bool:
    return await on.replica.metric("trade_breaker_open") == wanted


async def _rested(on: Scene, times: int) -> bool:
    return len(on.replica.said("consumption_rests")) >= times


async def _all_cleared(on: Scene) -> bool:
    """Clear until nothing of the flood is left: fetched but unread records park only when consumption resumes."""
    await clear(on.stage, on.replica)
    return await all_read(on.stage)


async def event_too_large(ground: Ground) -> Sequence[Verdict]:
    """An order whose event would exceed the size limit parks alone, and is discarded."""
    async with scene(ground) as on:
        lane = _lane(on, "Plarge", "refused")
        around = on.load.mixed(7)
        await on.load.place([*around, *lane.before])
        value = b'{"number": "%s", "counters": ["Plarge"], "amount": 1, "key": "K"}' % (b"9" * TOO_LARGE)
        await on.load.send_raw(value, headers(ce_id=b"large/0.1"), "Plarge")
        await on.load.place(lane.behind)
        await on.replica.start()
        await on.until_taken(*around, *lane.before)
        await eventually(lambda: _parked_as_they_must(on, [lane]), within_seconds=30.0, every_seconds=0.3)
        async with desk(on.stage, on.replica) as staff:
            (first, *_) = [each for each in await parked(staff) if each.reason == "refused"]
            assert "EventTooLarge" in first.error, first.error
            await staff.DiscardParked(pb.DiscardParkedRequest(id=first.id, reason="no build can publish it"))
        await clear(on.stage, on.replica)
        return await settled(on.stage, on.oracle)


async def gigabytes(ground: Ground) -> Sequence[Verdict]:
    """A record of 1.5 GiB, compressed to a few kilobytes, among good ones: it parks, and memory is bounded."""
    async with scene(ground) as on:
        lane = _lane(on, "Pbomb", "undecodable")
        await on.load.place([*on.load.mixed(7), *lane.before])
        packed = bomb(BOMB_MEBIBYTES, b"Pbomb")
        assert len(packed) < MAX_MESSAGE_BYTES
        await on.load.send_batch(packed, "Pbomb")
        await on.load.place([*on.load.mixed(7), *lane.behind])
        await on.replica.start()
        # Its key is unknown, so later records of that key are not held back.
        await on.until_taken(*lane.before, *lane.behind)
        async with desk(on.stage, on.replica) as staff:
            (found,) = await parked(staff)
        assert found.reason == "undecodable"
        assert f"{len(packed)} bytes" in found.error, found.error
        peak = peak_bytes(on.replica.child.pid or 0)
        assert peak < MEMORY_BYTES, f"the toy took {peak} bytes"
        await clear(on.stage, on.replica)
        return await settled(on.stage, on.oracle)


CELLS = [
    Cell(GROUP, "poison of every kind in one batch", every_kind, in_tests=True),
    Cell(GROUP, "a flood of what nobody can read", partial(flood, refused=False)),
    Cell(GROUP, "a flood of what this build refuses", partial(flood, refused=True)),
    Cell(GROUP, "an event too large to publish", event_too_large),
    Cell(GROUP, "gigabytes packed into kilobytes", gigabytes, in_tests=True),
]
