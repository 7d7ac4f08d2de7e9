"""Parked deliveries as gRPC messages."""

from chassis.delivery import Plan
from chassis.parking import AuditLine, OpenBreaker, ParkedDelivery, ParkedTarget
from chassis.rpc import stamp_of
from trade.parking.v1 import parking_pb2 as pb


def parked_of(delivery: ParkedDelivery) -> pb.Parked:
    """A delivery without headers, content and full stack."""
    return pb.Parked(
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
        stack_line=_where(delivery.stack),
        parked_at=stamp_of(delivery.parked_at),
        tried_at=stamp_of(delivery.tried_at),
    )


def target_of(target: ParkedTarget) -> pb.ParkedTarget:
    return pb.ParkedTarget(
        target=target.target, first=parked_of(target.first), waiting=target.waiting, since=stamp_of(target.since)
    )


def breaker_of(open_: OpenBreaker) -> pb.Breaker:
    return pb.Breaker(reason=open_.reason, opened_at=stamp_of(open_.opened_at))


def plan_of(plan: Plan) -> pb.PlanRedriveResponse:
    return pb.PlanRedriveResponse(
        parked=target_of(plan.parked),
        steps=[pb.PlannedStep(parked=parked_of(each.delivery), expected=each.expected) for each in plan.steps],
        breaker=None if plan.breaker is None else breaker_of(plan.breaker),
        build=plan.build,
    )


def audit_line(line: AuditLine) -> pb.AuditLine:
    return pb.AuditLine(
        id=line.id,
        action=line.action,
        target=line.target,
        by=line.by,
        why=line.why,
        outcome=line.outcome,
        at=stamp_of(line.at),
        parked=None if line.delivery is None else parked_of(line.delivery),
    )


def _where(stack: str) -> str:
    """The innermost frame of a stack: file, line and function."""
    places = [line.strip() for line in stack.splitlines() if line.lstrip().startswith('File "')]
    return places[-1] if places else ""
