"""When to ask again: a door that has no room, or whose servers are away, says so in `Retry-After`."""

import httpx2

PATIENCE_SECONDS = 30.0
"""How long a command comes again before it says that it was turned away."""

_AGAIN = (429, 502, 503, 504)
_LONGEST_SECONDS = 10.0


def again_seconds(response: httpx2.Response, otherwise: float) -> float | None:
    """After how many seconds to ask again; None where the answer is one that stands.

    `otherwise` is for an answer that names no seconds, or names them as a date, as a proxy may.
    """
    if response.status_code not in _AGAIN:
        return None
    try:
        seconds = int(response.headers["retry-after"])
    except (KeyError, ValueError):
        return otherwise
    return min(max(seconds, 0.0), _LONGEST_SECONDS)
