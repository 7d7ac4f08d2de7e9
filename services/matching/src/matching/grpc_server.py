"""`trade.matching.v1.MatchingService`: matches for staff, and for the gateway on behalf of a firm."""

from typing import Any

import grpc

from chassis.rpc import Right, abort, page_id, page_of, page_size, stamp_of
from matching import store
from matching.domain.criteria import Parameters
from matching.domain.match import Match, Side, Status
from matching.domain.terms import Firm
from matching.store import Matches
from trade.matching.v1 import matching_pb2 as pb
from trade.matching.v1.matching_pb2_grpc import MatchingServiceServicer

_READ = Right(services=("gateway",), staff="matching.read")

RIGHTS = {
    "/trade.matching.v1.MatchingService/ListMatches": _READ,
    "/trade.matching.v1.MatchingService/GetMatch": _READ,
}

Context = grpc.aio.ServicerContext[Any, Any]


class MatchingServicer(MatchingServiceServicer):
    def __init__(self, matches: Matches) -> None:
        self._matches = matches

    async def ListMatches(self, request: pb.ListMatchesRequest, context: Context) -> pb.ListMatchesResponse:  # noqa: N802
        """One page of a firm's matches.

        Aborts with INVALID_ARGUMENT if the firm is missing or the page token is of another list.
        """
        if not (request.firm.scheme and request.firm.value):
            await abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "FIRM_MISSING",
                "name the firm by scheme and value",
                [("firm", "scheme and value are required")],
            )
        firm = Firm(request.firm.scheme, request.firm.value)
        list_ = f"matches of {firm}"
        after = page_id(request.page_token, list_)
        size = page_size(request.page_size)
        found = await store.matches_of_firm(
            self._matches,
            firm,
            after=after,
            limit=size + 1,
            withdrawn=request.include_withdrawn,
        )
        page, following = page_of(found, size, list_, lambda match: match.id)
        return pb.ListMatchesResponse(matches=[_match(each) for each in page], next_page_token=following)

    async def GetMatch(self, request: pb.GetMatchRequest, context: Context) -> pb.GetMatchResponse:  # noqa: N802
        """One match. Aborts with NOT_FOUND if there is none with this id."""
        found = await self._matches.get(request.match_id)
        if found is None:
            await abort(context, grpc.StatusCode.NOT_FOUND, "MATCH_UNKNOWN", f"there is no match {request.match_id!r}")
        return pb.GetMatchResponse(match=_match(found))


def _match(match: Match) -> pb.Match:
    return pb.Match(
        id=match.id,
        project=_side(match.project),
        mandate=_side(match.mandate),
        status=pb.MATCH_STATUS_FOUND if match.status is Status.FOUND else pb.MATCH_STATUS_WITHDRAWN,
        round=match.round,
        score=match.score,
        reasons=[
            pb.Reason(code=each.code, points=each.points, weight=each.weight, parameters=_map(each.parameters))
            for each in match.reasons
        ],
        missed=[pb.MissedCriterion(code=each.code, parameters=_map(each.parameters)) for each in match.missed],
        judged_at=stamp_of(match.judged_at),
        withdrawn_for=match.withdrawn_for or "",
        withdrawn_parameters=_map(match.withdrawn_parameters),
    )


def _side(side: Side) -> pb.MatchSide:
    return pb.MatchSide(
        listing_id=side.listing_id,
        firm=pb.Identifier(scheme=side.firm.scheme, value=side.firm.value),
        reference=side.reference,
    )


def _map(parameters: Parameters) -> dict[str, str]:
    return dict(parameters)
