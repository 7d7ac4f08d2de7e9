"""When to retry a request: a door that is full, or whose servers are unavailable, answers with `Retry-After`."""

import httpx2

PATIENCE_SECONDS = 30.0
"""How long a command retries before it reports that it was turned away."""

_AGAIN = (429, 502, 503, 504)
_LONGEST_SECONDS = 10.0


def again_seconds(response: httpx2.Response, otherwise: float) -> float | None:
    """The seconds to wait before a retry; None if the answer is final.

    `otherwise` is used if the answer gives no seconds, or a date, as a proxy may.
    """
    if response.status_code not in _AGAIN:
        return None
    try:
        seconds = int(response.headers["retry-after"])
    except (KeyError, ValueError):
        return otherwise
    return min(max(seconds, 0.0), _LONGEST_SECONDS)
