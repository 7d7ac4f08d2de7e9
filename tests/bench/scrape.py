"""The metrics of all services at one time, read from `/metrics`."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx2

from trade_cli.platform import Platform

_LINE = re.compile(r"^(trade_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
WAITING = (
    "trade_consumer_lag_records",
    "trade_unsent_events",
    "trade_overdue_timers",
    "trade_pending_work",
)
"""Gauges that are zero if no work is left."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a metric of a service."""

    service: str
    metric: str
    labels: Mapping[str, str]
    value: float


class Scrape:
    """The samples of all services at one time; compare the counters of two scrapes."""

    def __init__(self, samples: Iterator[Sample]) -> None:
        self._samples = list(samples)

    @property
    def published(self) -> float:
        """Events acknowledged by Kafka since the services were started."""
        return sum(each.value for each in self._samples if each.metric == "trade_events_published_total")

    @property
    def commands(self) -> Counter[str]:
        """Commands answered by the database since then: `<service> <command> <collection>` → number."""
        found: Counter[str] = Counter()
        for each in self._samples:
            if each.metric == "trade_database_commands_total":
                found[f"{each.service} {each.labels['command']} {each.labels['collection']}"] += int(each.value)
        return found

    @property
    def waiting(self) -> dict[str, float]:
        """Work left, by service and gauge; empty if there is none."""
        found: Counter[str] = Counter()
        for each in self._samples:
            if each.metric in WAITING and each.value > 0:
                found[f"{each.service} {each.metric.removeprefix('trade_')}"] += each.value  # type: ignore[assignment]
        return dict(found)


async def scrape(platform: Platform) -> Scrape:
    """Scrape all services concurrently."""
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as http:

        async def one(name: str, url: str) -> list[Sample]:
            return list(read(name, (await http.get(f"{url}/metrics")).text))

        told = await asyncio.gather(
            *(one(name, each.admin) for name, each in platform.services.items() if each.admin is not None)
        )
    return Scrape(each for samples in told for each in samples)


def read(service: str, text: str) -> Iterator[Sample]:
    """The platform's own metrics in a page of Prometheus' text format."""
    for metric, labels, value in _LINE.findall(text):
        yield Sample(service, metric, dict(_LABEL.findall(labels)), float(value))
