"""Reads a partner's CloudEvents from a request: structured, binary (`ce-*` headers) or batch.

Source: CloudEvents 1.0.2, HTTP protocol binding.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from fastapi import Request

from gateway.domain.faults import Fault, Refused
from gateway.formats.cloudevents import (
    BATCH,
    JSON_TYPE,
    STRUCTURED,
    PartnerCloudEvent,
    batch,
    binary,
    structured,
    twice,
)

MEDIA_TYPES = (STRUCTURED, BATCH, JSON_TYPE)
_PREFIX = "ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
"""A quoted-string of HTTP (RFC 9110, section 5.6.4)."""
_ESCAPED = re.compile(r"\\(.)")


def events_in(request: Request, kind: str, sent: bytes) -> Sequence[PartnerCloudEvent | Refused]:
    """The events of a request's body, in order; an event of a batch that cannot be read is a `Refused` in its place.

    Args:
        kind: one of `MEDIA_TYPES`.

    Raises:
        Refused: the body as a whole cannot be read, or it is a single event with faults.
    """
    return batch(sent) if kind == BATCH else [_single(request, kind, sent)]


def _single(request: Request, kind: str, sent: bytes) -> PartnerCloudEvent:
    if kind == STRUCTURED:
        return structured(sent)
    headers = dict(request.headers)
    attributes = {name.removeprefix(_PREFIX): _attribute(request, name) for name in headers if name.startswith(_PREFIX)}
    if not attributes:
        raise Refused("media-type-not-read", found=f"{JSON_TYPE} without ce-* headers", taken=f"{STRUCTURED}, {BATCH}")
    return binary(attributes, headers, sent, prefix=_PREFIX)


def _attribute(request: Request, name: str) -> str:
    """The value of an attribute's header: unquoted, then percent-decoded as UTF-8.

    Source: CloudEvents 1.0.2, HTTP binding, section 3.1.3.2.

    Raises:
        Refused: the header is repeated, contains raw non-ASCII characters, or is quoted or encoded wrongly.
    """
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise Refused("invalid-event", [twice(name, given[0], given[1])])
    if not given[0].isascii():
        raise Refused("invalid-event", [Fault("event.header_not_ascii", name)])
    try:
        return unquote(_unquoted(given[0]), errors="strict")
    except ValueError:
        raise Refused("invalid-event", [Fault("field.form", name)]) from None


def _unquoted(value: str) -> str:
    """A header's value without its surrounding quotes, if it has any.

    Raises:
        ValueError: the quotes are not closed, or closed before the end.
    """
    if not value.startswith('"'):
        return value
    quoted = _QUOTED.fullmatch(value)
    if quoted is None:
        raise ValueError(value)
    return _ESCAPED.sub(r"\1", quoted[1])
