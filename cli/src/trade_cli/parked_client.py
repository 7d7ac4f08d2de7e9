"""Queries services for their parked deliveries: all services, or a named one."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import grpc

from trade.parking.v1 import parking_pb2 as pb
from trade.parking.v1.parking_pb2_grpc import ParkingServiceStub
from trade_cli.platform import CliError, Platform

if TYPE_CHECKING:  # the generated type has no body
    from trade.parking.v1.parking_pb2_grpc import ParkingServiceAsyncStub

T = TypeVar("T")
Ask: TypeAlias = Callable[["ParkingServiceAsyncStub"], Awaitable[T]]

PAGE = 200
DEADLINE_SECONDS = 30.0


async def deliveries(stub: "ParkingServiceAsyncStub", target: str, limit: int) -> list[pb.Parked]:
    """Parked deliveries, oldest first, until `limit` or the end."""

    async def page(size: int, token: str) -> tuple[Sequence[pb.Parked], str]:
        request = pb.ListParkedRequest(target=target, page_size=size, page_token=token)
        answer = await stub.ListParked(request, timeout=DEADLINE_SECONDS)
        return answer.parked, answer.next_page_token

    return await _pages(page, limit)


async def targets(stub: "ParkingServiceAsyncStub", limit: int) -> tuple[list[pb.ParkedTarget], pb.Breaker | None]:
    """Parked targets by name, until `limit` or the end; and the breaker, if it is open."""
    breaker: pb.Breaker | None = None

    async def page(size: int, token: str) -> tuple[Sequence[pb.ParkedTarget], str]:
        nonlocal breaker
        request = pb.ListTargetsRequest(page_size=size, page_token=token)
        answer = await stub.ListTargets(request, timeout=DEADLINE_SECONDS)
        breaker = answer.breaker if answer.HasField("breaker") else None
        return answer.targets, answer.next_page_token

    return await _pages(page, limit), breaker


async def audit(stub: "ParkingServiceAsyncStub", target: str, limit: int) -> list[pb.AuditLine]:
    """Audit lines, latest first, until `limit` or the end."""

    async def page(size: int, token: str) -> tuple[Sequence[pb.AuditLine], str]:
        request = pb.ListAuditRequest(target=target, page_size=size, page_token=token)
        answer = await stub.ListAudit(request, timeout=DEADLINE_SECONDS)
        return answer.lines, answer.next_page_token

    return await _pages(page, limit)


async def redrive(stub: "ParkingServiceAsyncStub", target: str, reason: str) -> pb.RedriveTargetResponse:
    """Replay until none is left or one fails again, in as many calls as needed."""
    done = pb.RedriveTargetResponse()
    while True:
        request = pb.RedriveTargetRequest(target=target, reason=reason)
        part = await stub.RedriveTarget(request, timeout=DEADLINE_SECONDS)
        got_on = part.applied or part.duplicates or part.released
        done.applied += part.applied
        done.duplicates += part.duplicates
        done.released += part.released
        done.remaining = part.remaining
        if part.HasField("failed"):
            done.failed.CopyFrom(part.failed)
        if not part.remaining or part.HasField("failed") or not got_on:
            return done


async def _pages(page: Callable[[int, str], Awaitable[tuple[Sequence[T], str]]], limit: int) -> list[T]:
    found: list[T] = []
    token = ""
    while True:
        more, token = await page(min(PAGE, limit - len(found)), token)
        found += more
        if not token or len(found) >= limit:
            return found


class Answers(dict[str, T]):
    """Service → its answer; and the services that could not be reached."""

    away: Sequence[str] = ()


async def everywhere(platform: Platform, service: str, ask: Ask[T]) -> Answers[T]:
    """Ask every service, or the named one; unreachable ones are reported on standard error.

    Raises:
        CliError: none of them answered, or there is no such service.
    """
    names = _services(platform, service)
    answers = await asyncio.gather(*(_asked(platform, name, ask) for name in names), return_exceptions=True)
    found: Answers[T] = Answers()
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, grpc.aio.AioRpcError):
            print(f"trade: {name} does not answer: {answer.code().name} {answer.details() or ''}", file=sys.stderr)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[name] = answer
    if not found:
        raise CliError("no service answers; is the platform up?")
    found.away = [name for name in names if name not in found]
    return found


async def where_parked(platform: Platform, service: str, ask: Ask[T], what: str) -> dict[str, T]:
    """Ask all; services without it are left out.

    Raises:
        CliError: no service has it.
    """

    async def maybe(stub: "ParkingServiceAsyncStub") -> T | None:
        try:
            return await ask(stub)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    answers = await everywhere(platform, service, maybe)
    found = {name: answer for name, answer in answers.items() if answer is not None}
    if not found:
        away = f" at {', '.join(answers)}; {', '.join(answers.away)} could not be asked" if answers.away else ""
        raise CliError(f"nothing is parked as {what!r}{away}")
    return found


async def first(platform: Platform, service: str, ask: Ask[T], what: str) -> tuple[str, T]:
    return next(iter((await where_parked(platform, service, ask, what)).items()))


async def _asked(platform: Platform, name: str, ask: Ask[T]) -> T:
    async with platform.channel(name) as channel:
        return await ask(ParkingServiceStub(channel))


def _services(platform: Platform, service: str) -> Sequence[str]:
    named = [name for name, address in platform.services.items() if address.grpc]
    if service and service not in named:
        raise CliError(f"there is no service {service!r} with gRPC; there are {', '.join(sorted(named))}")
    return [service] if service else sorted(named)
