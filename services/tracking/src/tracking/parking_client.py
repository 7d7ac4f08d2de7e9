"""gRPC client of a service's `ParkingService`: its parked targets, with number, time and reason."""

import grpc

from chassis.rpc import moment_of
from tracking.domain.held import Held
from tracking.parked import Answer, Halted, NotAsked
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub

DEADLINE_SECONDS = 1.0
PAGE = 200
MAX_PAGES = 5
"""Pages read at most; beyond them the answer is marked incomplete."""


class ParkingClient:
    """The parking of one service."""

    def __init__(self, service: str, channel: grpc.aio.Channel) -> None:
        self._service = service
        self._stub = ParkingServiceStub(channel)

    async def ask(self) -> Answer:
        """Its parked targets.

        Raises:
            NotAsked: it does not answer within the deadline, or refuses the call.
        """
        held: list[Held] = []
        halted, token = None, ""
        for _ in range(MAX_PAGES):
            page = await self._page(token)
            held += [self._held(each) for each in page.targets]
            if page.HasField("breaker"):
                halted = Halted(self._service, page.breaker.reason, moment_of(page.breaker.opened_at))
            token = page.next_page_token
            if not token:
                break
        return Answer(tuple(held), halted, complete=not token)

    async def _page(self, token: str) -> pb.ListTargetsResponse:
        try:
            request = pb.ListTargetsRequest(page_size=PAGE, page_token=token)
            return await self._stub.ListTargets(request, timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise NotAsked(f"{error.code().name}: {error.details() or ''}"[:200]) from None

    def _held(self, each: pb.ParkedTarget) -> Held:
        first = each.first
        return Held(self._service, each.target, each.waiting, moment_of(each.since), first.reason, first.event_id)


class NoAddress:
    """A service without an address in the settings."""

    async def ask(self) -> Answer:
        """Raises NotAsked, always."""
        raise NotAsked("the settings have no address")
