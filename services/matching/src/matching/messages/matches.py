"""Matches on the wire."""

from typing import Any, assert_never

from contracts.matching import v1
from contracts.values import Payload
from matching.domain.criteria import Missed, Parameters, Reason
from matching.domain.match import Event, Match, MatchChanged, MatchFound, MatchWithdrawn, Side
from matching.messages.terms import firm_of, identifier_of

PREFIX = "trade.matching.match"


class MatchMessages:
    """`Messages` of matches."""

    def encode(self, event: Event, state: Match) -> tuple[str, bytes]:  # noqa: ARG002 - the event carries everything
        fact, payload = _payload(event)
        return f"{PREFIX}.{fact}.v1", payload.model_dump_json().encode()

    def decode(self, type: str, data: bytes) -> Event:  # noqa: A002 - CloudEvents' own name
        return _event(v1.EVENTS[type].model_validate_json(data))


def _payload(event: Event) -> tuple[str, Payload]:
    match event:
        case MatchFound():
            return "found", v1.MatchFound(**_fact(event), **_judged(event))
        case MatchChanged():
            return "changed", v1.MatchChanged(**_fact(event), **_judged(event))
        case MatchWithdrawn():
            parameters = dict(event.parameters)
            return "withdrawn", v1.MatchWithdrawn(**_fact(event), reason=event.reason, parameters=parameters)
        case _:
            assert_never(event)


def _fact(event: Event) -> dict[str, Any]:
    return {
        "match_id": event.match_id,
        "project": _side(event.project),
        "mandate": _side(event.mandate),
        "round": event.round,
    }


def _judged(event: MatchFound | MatchChanged) -> dict[str, Any]:
    return {
        "score": event.score,
        "reasons": tuple(
            v1.Reason(code=each.code, points=each.points, weight=each.weight, parameters=dict(each.parameters))
            for each in event.reasons
        ),
        "missed": tuple(v1.MissedCriterion(code=each.code, parameters=dict(each.parameters)) for each in event.missed),
        "judged_at": event.judged_at,
    }


def _side(side: Side) -> v1.MatchSide:
    return v1.MatchSide(
        listing_id=side.listing_id,
        kind=v1.ListingKind(side.kind),
        firm=identifier_of(side.firm),
        reference=side.reference,
        change=side.change,
    )


def _event(payload: Payload) -> Event:
    match payload:
        case v1.MatchChanged():
            return MatchChanged(*_sides_of(payload), *_judged_of(payload))
        case v1.MatchFound():
            return MatchFound(*_sides_of(payload), *_judged_of(payload))
        case v1.MatchWithdrawn():
            return MatchWithdrawn(*_sides_of(payload), payload.reason, _parameters(payload.parameters))
        case _:
            raise TypeError(f"{type(payload).__name__} is not an event of a match")


def _sides_of(payload: v1.MatchFact) -> tuple[str, Side, Side, int]:
    return payload.match_id, _side_of(payload.project), _side_of(payload.mandate), payload.round


def _judged_of(payload: v1.MatchFound) -> tuple[int, tuple[Reason, ...], tuple[Missed, ...], Any]:
    reasons = tuple(
        Reason(each.code, each.points, each.weight, _parameters(each.parameters)) for each in payload.reasons
    )
    missed = tuple(Missed(each.code, _parameters(each.parameters)) for each in payload.missed)
    return payload.score, reasons, missed, payload.judged_at


def _side_of(side: v1.MatchSide) -> Side:
    return Side(side.listing_id, side.kind.value, firm_of(side.firm), side.reference, side.change)


def _parameters(parameters: dict[str, str]) -> Parameters:
    return tuple(sorted(parameters.items()))
