"""The gRPC face of parking: what a service has parked, and how staff mend it.

Reading asks for the right `parking.read`, changing for `parking.write` and a reason; the audit keeps
who did it and why.
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.delivery import DeliveryPolicy
from chassis.parking import PageMark, ParkedDelivery, ParkingStore
from chassis.rpc import Right, abort, current_caller
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceServicer, add_ParkingServiceServicer_to_server

READ = "parking.read"
WRITE = "parking.write"

_SERVICE = "/trade.parking.v1.ParkingService"
PARKING_RIGHTS = {
    f"{_SERVICE}/ListParked": Right(staff=READ),
    f"{_SERVICE}/ShowParked": Right(staff=READ),
    f"{_SERVICE}/RedriveTarget": Right(staff=WRITE),
    f"{_SERVICE}/DiscardParked": Right(staff=WRITE),
}

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

log = structlog.get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


def add_parking_service(server: grpc.aio.Server, policy: DeliveryPolicy, parking: ParkingStore) -> None:
    """Answer `trade.parking.v1.ParkingService` on a server."""
    add_ParkingServiceServicer_to_server(ParkingRpc(policy, parking), server)


class ParkingRpc(ParkingServiceServicer):
    """Parking over gRPC."""

    def __init__(self, policy: DeliveryPolicy, parking: ParkingStore) -> None:
        self._policy = policy
        self._parking = parking

    async def ListParked(self, request: pb.ListParkedRequest, context: Context) -> pb.ListParkedResponse:  # noqa: N802 - the proto's name
        if request.page_size < 0:
            await _refuse(context, "page_size", "is not negative")
        try:
            after = _read_token(request.page_token, request.target)
        except ValueError:
            await _refuse(context, "page_token", "is one of this service's, used with the same target")
        size = min(request.page_size or PAGE_SIZE, MAX_PAGE_SIZE)
        found = await self._parking.list(request.target, after, size + 1)
        page = found[:size]
        return pb.ListParkedResponse(
            parked=[_parked(each) for each in page],
            next_page_token=_write_token(page[-1].mark, request.target) if len(found) > size else "",
        )

    async def ShowParked(self, request: pb.ShowParkedRequest, context: Context) -> pb.ShowParkedResponse:  # noqa: N802 - the proto's name
        delivery = await self._parking.show(request.id)
        if delivery is None:
            await _unknown(context, request.id)
        return pb.ShowParkedResponse(
            parked=_parked(delivery),
            headers={name: value or b"" for name, value in delivery.headers},
            value=delivery.value or b"",
            stack=delivery.stack,
        )

    async def RedriveTarget(self, request: pb.RedriveTargetRequest, context: Context) -> pb.RedriveTargetResponse:  # noqa: N802 - the proto's name
        await _need_reason(context, request.reason)
        if await self._parking.lock_version(request.target) is None:
            await _unknown(context, request.target)
        actor = current_caller().actor
        log.info("redrive", target=request.target, actor=actor, reason=request.reason)
        result = await self._policy.redrive(request.target, actor=actor, reason=request.reason.strip())
        return pb.RedriveTargetResponse(
            applied=result.applied, duplicates=result.duplicates, remaining=result.remaining
        )

    async def DiscardParked(self, request: pb.DiscardParkedRequest, context: Context) -> pb.DiscardParkedResponse:  # noqa: N802 - the proto's name
        await _need_reason(context, request.reason)
        actor = current_caller().actor
        log.info("discard", delivery=request.id, actor=actor, reason=request.reason)
        if not await self._policy.discard(request.id, actor=actor, reason=request.reason.strip()):
            await _unknown(context, request.id)
        return pb.DiscardParkedResponse()


async def _need_reason(context: Context, reason: str) -> None:
    if not reason.strip():
        await _refuse(context, "reason", "says why; it is kept in the audit")


async def _refuse(context: Context, field: str, rule: str) -> NoReturn:
    message = f"{field}: {rule}"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", message, [(field, rule)])


async def _unknown(context: Context, what: str) -> NoReturn:
    await abort(context, grpc.StatusCode.NOT_FOUND, "NOT_PARKED", f"nothing is parked as {what!r}")


def _parked(delivery: ParkedDelivery) -> pb.Parked:
    parked = pb.Parked(
        id=delivery.id,
        target=delivery.target,
        topic=delivery.position.topic,
        partition=delivery.position.partition,
        offset=delivery.position.offset,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        reason=delivery.reason,
        error=delivery.error,
        trace_id=delivery.trace_id,
        build=delivery.build,
    )
    if delivery.parked_at is not None:
        moment = Timestamp()
        moment.FromDatetime(delivery.parked_at)
        parked.parked_at.CopyFrom(moment)
    return parked


def _write_token(mark: PageMark, target: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark[0].isoformat(), mark[1], target]).encode()).decode()


def _read_token(token: str, target: str) -> PageMark | None:
    """Where a page begins; None at the beginning.

    Raises:
        ValueError: the token is not of this service, or was given for another target.
    """
    if not token:
        return None
    try:
        moment, id_, of = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if of != target:
            raise ValueError(of)
        return datetime.fromisoformat(moment), str(id_)
    except (binascii.Error, TypeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
