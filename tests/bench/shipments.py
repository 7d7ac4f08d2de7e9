"""Whole shipments through all six services and their public interfaces: rate and cost."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.figures import Aim, Figure, Tally, percentile
from bench.floor_window import FloorRuns, FloorWindow
from bench.flow import Flow, Window, flow_on
from bench.ground import Ground
from bench.recording import record
from bench.settling import Settled, settle

WINDOW_SECONDS = 30.0
WARM_SECONDS = 90.0
"""Maximum wait until as many shipments were closed as are in flight. With a thousand in flight the window covers only
part of a cycle, and the number of published events gives the rate better than the number of closings."""
ROUNDS = 2
"""Maximum number of rounds, because a window is long."""
SETTLED_PLAYS = 20
RATE_SECONDS = 40.0
REST_AFTER_SECONDS = 60.0
"""Time after which all work caused by the load is done."""
REST_SECONDS = 60.0
"""Time in which the database commands at rest are counted."""
DEAREST = 20
SETTLED_AIM_SECONDS = 10.0


@dataclass
class Seen:
    """The measurements of all windows and rounds."""

    events: float
    """Events published per shipment."""
    closed: Tally = field(default_factory=Tally)
    events_rate: Tally = field(default_factory=Tally)
    accepted: Tally = field(default_factory=Tally)
    latency: Tally = field(default_factory=Tally)
    commands: Tally = field(default_factory=Tally)
    cpu: Tally = field(default_factory=Tally)
    memory: Tally = field(default_factory=Tally)
    settled: Tally = field(default_factory=Tally)
    kinds: Counter[str] = field(default_factory=Counter)
    worth: float = 0.0
    notes: list[str] = field(default_factory=list)
    floor_cpu: Tally = field(default_factory=Tally)

    def note_floor(self, in_flight: int, window: FloorWindow) -> None:
        row = f"{in_flight} in flight"
        self.closed.add(f"floor, {row}", window.closed / window.seconds)
        if window.closed:
            self.floor_cpu.add(f"floor, {row}", window.cpu * 1000 / window.closed)

    def note(self, in_flight: int, window: Window, settled: Settled) -> None:
        """Add a window. Costs per shipment are computed from the published events, because shipments in flight at
        either end of the window are not closed in it."""
        row, worth = f"{in_flight} in flight", window.published / self.events
        self.closed.add(row, window.closed / window.seconds)
        self.events_rate.add(row, window.published / window.seconds)
        for tally, ranks, samples in (
            (self.accepted, (50, 95, 99), window.accepted_after),
            (self.latency, (50, 95, 99), window.closed_after),
        ):
            for rank in ranks if samples else ():
                tally.add(f"{row}, p{rank}", percentile(samples, rank))
        self.settled.add(row, settled.seconds)
        if settled.seconds > SETTLED_AIM_SECONDS:
            self.notes.append(f"{row}: {settled.seconds:.1f} s after the load there waited {_told(settled.last)}")
        if window.problems:
            self.notes.append(f"{row}: {len(window.problems)} failed: {window.problems[0]}")
        if window.closed_before < in_flight:
            self.notes.append(f"{row}: {window.closed_before} were closed before the window")
        if not worth:
            return
        self.commands.add(row, window.commands.total() / worth)
        for name, seconds in window.cpu.items():
            self.cpu.add(f"{name}, {row}", seconds * 1000 / worth)
        services = {name: spent for name, spent in window.cpu.items() if name in window.memory}
        self.cpu.add(f"six services, {row}", sum(services.values()) * 1000 / worth)
        for name, held in window.memory.items():
            self.memory.add(f"{name}, {row}", held)
        self.kinds += window.commands
        self.worth += worth


async def measure(ground: Ground) -> list[Figure]:
    """Play seeded shipments as `trade simulate` does: closed loops of several sizes, then an open loop, then rest.

    Raises:
        AssertionError: a shipment of the first few was not closed, or no window had an event.
    """
    running = await ground.platform()
    async with flow_on(running) as flow:
        seen = Seen(await events_of_one(flow, ground.size(SETTLED_PLAYS, 2)))
        floor = FloorRuns(ground, flow, await record(flow, running.layout.mail))
        ground.report(f"  One shipment of the floor: {floor.counts}")
        for _ in range(min(ground.rounds, ROUNDS)):
            for in_flight in ground.sizes.in_flight:
                await _step(ground, flow, in_flight, seen)
                await _floor_step(ground, floor, in_flight, seen)
        # From published events: many shipments close in waves, and a window may be at the peak of one.
        plateau = max(max(rates) for rates in seen.events_rate.rows.values()) / seen.events
        assert plateau, f"nothing was published: {seen.notes}"
        waited = await flow.at_rate(plateau / 2, ground.size(int(RATE_SECONDS), 4), grace_seconds=WARM_SECONDS)
        await settle(flow.told)
        quiet, asked = await at_rest(flow, ground)
    return [
        *_rates(seen, ground.sizes.in_flight, floor.counts),
        *_costs(seen),
        *_open_loop(plateau / 2, waited),
        *_rest(quiet, asked),
    ]


async def events_of_one(flow: Flow, count: int) -> float:
    """Average number of events per shipment, over `count` shipments played to their end."""
    await flow.play(1)
    await settle(flow.told)
    before = (await flow.scrape()).published
    await flow.play(count, side_by_side=4)
    await settle(flow.told)
    return ((await flow.scrape()).published - before) / count


async def at_rest(flow: Flow, ground: Ground) -> tuple[float, Counter[str]]:
    """The seconds counted, and the database commands in them."""
    await asyncio.sleep(ground.size(int(REST_AFTER_SECONDS), 1))
    before, seconds = (await flow.scrape()).commands, ground.size(int(REST_SECONDS), 1)
    await asyncio.sleep(seconds)
    return float(seconds), (await flow.scrape()).commands - before


async def _step(ground: Ground, flow: Flow, in_flight: int, seen: Seen) -> None:
    seconds, warm = ground.size(int(WINDOW_SECONDS), 3), ground.size(int(WARM_SECONDS), 15)
    window = await flow.window(in_flight, seconds, warm_seconds=warm)
    settled = await settle(flow.told)
    seen.note(in_flight, window, settled)
    ground.report(
        f"  {in_flight} in flight: {window.closed / window.seconds:.2f} closed a second, "
        f"{window.published / window.seconds:.0f} events a second, "
        f"{window.cpu['database'] / window.seconds:.2f} cores for the database; settled after {settled.seconds:.1f} s"
    )


async def _floor_step(ground: Ground, floor: FloorRuns, in_flight: int, seen: Seen) -> None:
    seconds, warm = ground.size(int(WINDOW_SECONDS), 3), ground.size(int(WARM_SECONDS), 15)
    try:
        window = await floor.window(in_flight, seconds, warm_seconds=warm)
    except (AssertionError, TimeoutError) as error:  # the platform's measurements are kept
        seen.notes.append(f"floor, {in_flight} in flight: it broke")
        ground.report(f"  {in_flight} in flight, floor: it broke: {error}")
        return
    seen.note_floor(in_flight, window)
    ground.report(f"  {in_flight} in flight, floor: {window.closed / window.seconds:.2f} closed a second")


def _rates(seen: Seen, in_flight: Sequence[int], floor: str) -> list[Figure]:
    told = "; ".join(["the slowest first", *seen.notes])
    slowest = dict(sorted(seen.settled.rows.items(), key=lambda row: -max(row[1])))
    figures = [*_closed(seen, in_flight, floor)]
    figures += [
        Figure("Events published", "per s", seen.events_rate.rows, note=f"{seen.events:.1f} are one shipment"),
        Figure("From lodging to closing", "s", seen.latency.rows, note="partners answer as soon as they are asked"),
        Figure("From lodging to acceptance", "s", seen.accepted.rows),
        Figure("Until nothing waits, after the load ends", "s", slowest, aim=Aim(SETTLED_AIM_SECONDS), note=told),
    ]
    return [each for each in figures if each.rows]


def _closed(seen: Seen, in_flight: Sequence[int], floor: str) -> list[Figure]:
    """One figure per number in flight, with the floor's for comparison."""
    figures = []
    for many in in_flight:
        row = f"{many} in flight"
        rows = {name: seen.closed.rows[name] for name in (row, f"floor, {row}") if name in seen.closed.rows}
        both, aim, note = (row, f"floor, {row}"), Aim(0.5, at_least=True), f"one of the floor: {floor}"
        beside = len(rows) == len(both)
        figures.append(
            Figure(f"Shipments closed, {row}", "per s", rows, both if beside else None, aim if beside else None, note)
        )
    return figures


def _costs(seen: Seen) -> list[Figure]:
    kinds = {name: [asked / seen.worth] for name, asked in seen.kinds.most_common(DEAREST)}
    whole = {name: samples for name, samples in seen.cpu.rows.items() if name.startswith("six services")}
    parts = {name: samples for name, samples in seen.cpu.rows.items() if name not in whole}
    largest = dict(sorted(seen.memory.rows.items(), key=lambda row: -max(row[1])))
    figures = [
        Figure("Database commands of one shipment", "", seen.commands.rows, aim=Aim(60.0)),
        Figure("Of these, by kind", "", kinds, note="all windows together; the service that asks, and the collection"),
        Figure("CPU of one shipment, six services", "ms", whole, aim=Aim(120.0)),
        Figure("CPU of one shipment, by part", "ms", parts),
        Figure("CPU of one shipment, the floor's process", "ms", seen.floor_cpu.rows),
        Figure("Memory while shipments flow, by service", "MB", largest, aim=Aim(200.0)),
    ]
    return [each for each in figures if each.rows]


def _open_loop(rate: float, waited: Sequence[float]) -> list[Figure]:
    rows = {f"p{rank}": [percentile(waited, rank)] for rank in (99, 95, 50)}
    note = f"{len(waited)} begun at {rate:.1f} a second, the wait at the door included"
    return [Figure("To acceptance at half the plateau", "s", rows, aim=Aim(1.0), note=note)]


def _rest(seconds: float, asked: Counter[str]) -> list[Figure]:
    kinds: Mapping[str, list[float]] = {name: [count / seconds] for name, count in asked.most_common(DEAREST)}
    figures = [Figure("Database commands at rest", "per s", {"six services": [asked.total() / seconds]}, aim=Aim(3.0))]
    return [*figures, Figure("Of these, by kind, at rest", "per s", kinds)] if kinds else figures


def _told(left: Mapping[str, float]) -> str:
    return ", ".join(f"{count:g} {what}" for what, count in left.items())
