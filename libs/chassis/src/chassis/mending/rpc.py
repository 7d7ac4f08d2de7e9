"""The gRPC service of parking: lists parked deliveries, and lets staff redrive or discard them.

Reading needs the right `parking.read`, changing needs `parking.write` and a reason; the audit records who did it and
why. Tracking may list targets as a service, for the support console.
"""

from typing import Any, NoReturn, Protocol

import grpc
import structlog

from chassis.delivery import DeliveryPolicy
from chassis.mending.messages import audit_line, breaker_of, parked_of, plan_of, target_of
from chassis.parking import BREAKER, AuditLine, Locked, PageMark, ParkedDelivery, ParkedTarget, TargetPage
from chassis.rpc import Right, abort, current_caller, cursor, page_id, page_of, page_place, page_size
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceServicer, add_ParkingServiceServicer_to_server

READ = "parking.read"
WRITE = "parking.write"

_SERVICE = "/trade.parking.v1.ParkingService"
PARKING_RIGHTS = {
    f"{_SERVICE}/ListParked": Right(staff=READ),
    f"{_SERVICE}/ListTargets": Right(services=("tracking",), staff=READ),
    f"{_SERVICE}/PlanRedrive": Right(staff=READ),
    f"{_SERVICE}/ListAudit": Right(staff=READ),
    f"{_SERVICE}/ShowParked": Right(staff=READ),
    f"{_SERVICE}/RedriveTarget": Right(staff=WRITE, publishes=True),
    f"{_SERVICE}/DiscardParked": Right(staff=WRITE),
}

REDRIVE_SECONDS = 10.0
"""Time limit of one redrive call, below its deadline; a longer redrive continues with the next call."""

_TARGETS = "~targets"
"""In a page token: the list of all targets, in place of the target of other lists."""

log = structlog.get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class ShownStore(Locked, Protocol):
    """The store operations behind the lists."""

    async def targets(self, after: str, limit: int) -> TargetPage:
        """Parked targets by name behind `after`, `limit` of them at most."""
        ...

    async def target(self, target: str) -> ParkedTarget | None:
        """One parked target; None if nothing is parked for it."""
        ...

    async def audit(self, target: str, before: PageMark | None, limit: int) -> list[AuditLine]:
        """Audit lines older than `before`, latest first, of one target or of all (empty)."""
        ...

    async def show(self, delivery_id: str) -> ParkedDelivery | None: ...

    async def count(self, target: str) -> int:
        """How many deliveries are parked for a target."""
        ...

    async def list(self, target: str, after: PageMark | None, limit: int) -> list[ParkedDelivery]:
        """Parked deliveries after `after`, oldest first, of one target or of all (empty)."""
        ...


def add_parking_service(server: grpc.aio.Server, policy: DeliveryPolicy, parking: ShownStore) -> None:
    """Serve `trade.parking.v1.ParkingService`."""
    add_ParkingServiceServicer_to_server(ParkingRpc(policy, parking), server)


class ParkingRpc(ParkingServiceServicer):
    """Parking over gRPC."""

    def __init__(
        self, policy: DeliveryPolicy, parking: ShownStore, *, redrive_seconds: float = REDRIVE_SECONDS
    ) -> None:
        self._policy = policy
        self._parking = parking
        self._redrive_seconds = redrive_seconds

    async def ListParked(self, request: pb.ListParkedRequest, context: Context) -> pb.ListParkedResponse:  # noqa: N802, ARG002 - the proto's
        size = page_size(request.page_size)
        after = page_place(request.page_token, request.target)
        found = await self._parking.list(request.target, after, size + 1)
        page, following = page_of(found, size, request.target, lambda each: each.mark)
        return pb.ListParkedResponse(parked=[parked_of(each) for each in page], next_page_token=following)

    async def ListTargets(self, request: pb.ListTargetsRequest, context: Context) -> pb.ListTargetsResponse:  # noqa: N802, ARG002 - the proto's
        size = page_size(request.page_size)
        after = page_id(request.page_token, _TARGETS)
        page = await self._parking.targets(after, size)
        return pb.ListTargetsResponse(
            targets=[target_of(each) for each in page.targets],
            next_page_token=cursor(page.last, _TARGETS) if page.last else "",
            breaker=None if page.breaker is None else breaker_of(page.breaker),
        )

    async def PlanRedrive(self, request: pb.PlanRedriveRequest, context: Context) -> pb.PlanRedriveResponse:  # noqa: N802 - the proto's name
        plan = await self._policy.plan(request.target, page_size(request.page_size))
        if plan is None:
            await _unknown(context, request.target)
        return plan_of(plan)

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> pb.ListAuditResponse:  # noqa: N802, ARG002 - the proto's
        size = page_size(request.page_size)
        before = page_place(request.page_token, request.target)
        found = await self._parking.audit(request.target, before, size + 1)
        page, following = page_of(found, size, request.target, lambda each: each.mark)
        return pb.ListAuditResponse(lines=[audit_line(each) for each in page], next_page_token=following)

    async def ShowParked(self, request: pb.ShowParkedRequest, context: Context) -> pb.ShowParkedResponse:  # noqa: N802 - the proto's name
        delivery = await self._parking.show(request.id)
        if delivery is None:
            await _unknown(context, request.id)
        return pb.ShowParkedResponse(
            parked=parked_of(delivery),
            headers={name: value or b"" for name, value in delivery.headers},
            value=delivery.value or b"",
            stack=delivery.stack,
        )

    async def RedriveTarget(self, request: pb.RedriveTargetRequest, context: Context) -> pb.RedriveTargetResponse:  # noqa: N802 - the proto's name
        await _need_reason(context, request.reason)
        if not await self._is_parked(request.target):
            await _unknown(context, request.target)
        actor = current_caller().actor
        log.info("redrive", target=request.target, actor=actor, reason=request.reason)
        result = await self._policy.redrive(
            request.target, actor=actor, reason=request.reason.strip(), within_seconds=self._redrive_seconds
        )
        return pb.RedriveTargetResponse(
            applied=result.applied,
            duplicates=result.duplicates,
            released=result.released,
            remaining=result.remaining,
            failed=None if result.failed is None else parked_of(result.failed),
        )

    async def DiscardParked(self, request: pb.DiscardParkedRequest, context: Context) -> pb.DiscardParkedResponse:  # noqa: N802 - the proto's name
        await _need_reason(context, request.reason)
        actor = current_caller().actor
        delivery = await self._parking.show(request.id)
        log.info("discard", delivery=request.id, actor=actor, reason=request.reason)
        if delivery is None or not await self._policy.discard(request.id, actor=actor, reason=request.reason.strip()):
            await _unknown(context, request.id)
        return pb.DiscardParkedResponse(remaining=await self._parking.count(delivery.target))

    async def _is_parked(self, target: str) -> bool:
        """Whether it is locked, or has deliveries without a lock."""
        return bool(await self._parking.locked([target])) or (
            target != BREAKER and await self._parking.target(target) is not None
        )


async def _need_reason(context: Context, reason: str) -> None:
    if not reason.strip():
        await _refuse(context, "reason", "is required; it is kept in the audit")


async def _refuse(context: Context, field: str, rule: str) -> NoReturn:
    message = f"{field}: {rule}"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", message, [(field, rule)])


async def _unknown(context: Context, what: str) -> NoReturn:
    await abort(context, grpc.StatusCode.NOT_FOUND, "NOT_PARKED", f"nothing is parked as {what!r}")
