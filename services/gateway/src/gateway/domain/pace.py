"""Rate limit per key: a token bucket."""

from dataclasses import dataclass, field


@dataclass
class Pace:
    """One bucket per key."""

    per_second: float
    burst: float
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_seconds(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take `cost` tokens; returns 0, or the seconds until they are available (then none are taken).

        Args:
            now: a monotonic clock, in seconds.
        """
        tokens, since = self._buckets.get(key, (self.burst, now))
        tokens = min(self.burst, tokens + (now - since) * self.per_second)
        wanted = min(cost, self.burst)
        if tokens < wanted:
            self._buckets[key] = (tokens, now)
            return (wanted - tokens) / self.per_second
        self._buckets[key] = (tokens - wanted, now)
        return 0.0
