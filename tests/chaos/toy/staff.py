"""What staff do with a stage's parked deliveries, over the Parking gRPC that every service answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chaos.toy.stage import Replica, Stage

from chassis.mending.rpc import READ, WRITE
from chassis.rpc import connect
from chassis.rpc.identity import STAFF, TokenSigner
from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub

if TYPE_CHECKING:  # the generated type has no body
    from trade.parking.v1.parking_pb2_grpc import ParkingServiceAsyncStub

DEADLINE_SECONDS = 15.0
_PAGE = 200
_UNREADABLE = {"undecodable", "unknown_version", "schema"}
"""Reasons for which no fixed build would accept a record: it can only be discarded."""


@asynccontextmanager
async def desk(stage: Stage, replica: Replica) -> AsyncIterator["ParkingServiceAsyncStub"]:
    """The Parking service of one replica, with all of staff's rights."""
    signer = TokenSigner(stage.keys, STAFF)
    channel = connect(
        replica.address, signer, stage.name, deadline_seconds=DEADLINE_SECONDS, subject="lin", rights=[READ, WRITE]
    )
    async with channel:
        yield ParkingServiceStub(channel)


async def parked(staff: "ParkingServiceAsyncStub") -> list[pb.Parked]:
    """Everything that is parked, oldest first."""
    found: list[pb.Parked] = []
    token = ""
    while True:
        page = await staff.ListParked(pb.ListParkedRequest(page_size=_PAGE, page_token=token))
        found += page.parked
        token = page.next_page_token
        if not token:
            return found


async def clear(stage: Stage, replica: Replica) -> int:
    """Discard unreadable records and redrive the rest until nothing is parked; return how many deliveries there were.

    The build must be fixed before, else refused orders are refused again.

    Raises:
        AssertionError: something cannot be redriven.
        grpc.aio.AioRpcError: the replica does not answer.
    """
    cleared = 0
    async with desk(stage, replica) as staff:
        while waiting := await parked(staff):
            cleared += len(waiting)
            for each in waiting:
                if each.reason in _UNREADABLE:
                    await staff.DiscardParked(pb.DiscardParkedRequest(id=each.id, reason="nobody can read it"))
            for target in sorted({each.target for each in waiting if each.reason not in _UNREADABLE}):
                done = await staff.RedriveTarget(pb.RedriveTargetRequest(target=target, reason="mended"))
                # Remaining deliveries exceeded the time of one call, as at a replica that was frozen: call again.
                assert not done.HasField("failed"), f"{done.remaining} deliveries of {target} are refused again"
    return cleared
