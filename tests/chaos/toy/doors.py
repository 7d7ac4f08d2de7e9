"""The toy's gRPC: a door for orders, and the peer that answers questions. JSON in place of protobuf."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
from chaos.toy.aggregates import Counters
from chaos.toy.domain import Answer, Command, Count, Counter, answer_to

from chassis.aggregates import Applied, Conflict, Duplicate, Failed, Input
from chassis.delivery.subscriptions import content_hash
from chassis.rpc import Right, RpcError, current_caller

SERVICE = "trade.toys.v1.Toys"
PLACE, ASK = f"/{SERVICE}/Place", f"/{SERVICE}/Ask"

RIGHTS: Mapping[str, Right] = {PLACE: Right(services=("*",), publishes=True), ASK: Right(services=("*",))}


class Door:
    """Orders by gRPC: an answer means that the order is saved."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def place(self, request: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        """One order for one counter, known by its command id."""
        order = request["order"]
        command = Count(order["counter"], order["number"], order["amount"], order["key"])
        input_: Input[Command] = Input(
            order["counter"],
            request["command_id"],
            command,
            actor=current_caller().actor,
            hash=content_hash(json.dumps(order, sort_keys=True).encode()),
        )
        match await self._counters.apply_one(input_):
            case Applied(_, events):
                return {"events": list(events)}
            case Duplicate():
                return {"events": []}
            case Conflict():
                raise RpcError(grpc.StatusCode.ALREADY_EXISTS, "CONFLICT", "this id was used for another order")
            case Failed(error):
                raise RpcError(grpc.StatusCode.FAILED_PRECONDITION, "REFUSED", str(error))
        raise RpcError(grpc.StatusCode.INTERNAL, "BLOCKED", "a single order cannot be blocked")

    def register(self, server: grpc.aio.Server) -> None:
        """Serve both methods."""
        methods = {"Place": _method(self.place), "Ask": _method(ask)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))


async def ask(request: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """The peer: an answer for each number."""
    return {"answers": [answer_to(number) for number in request["numbers"]]}


class Peer:
    """Asks the peer, for many counters at once."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._ask = json_call(channel, ASK)

    async def __call__(self, counters: Sequence[Counter]) -> Sequence[Input[Command]]:
        """The answers to the oldest question of each counter; one with none has nothing to ask."""
        open_ = [(each, min(each.questions, key=each.questions.__getitem__)) for each in counters if each.questions]
        answers = (await self._ask({"numbers": [number for _, number in open_]}))["answers"] if open_ else []
        return [
            Input(counter.id, f"{counter.id}/answer/{number}", Answer(number, value), actor="service:toy")
            for (counter, number), value in zip(open_, answers, strict=True)
        ]


def json_call(channel: grpc.aio.Channel, method: str) -> Callable[[Any], Awaitable[Any]]:
    """A method of the toy's as a function."""
    call: Callable[[Any], Awaitable[Any]] = channel.unary_unary(
        method, request_serializer=_dump, response_deserializer=json.loads
    )
    return call


def _dump(message: Any) -> bytes:
    return json.dumps(message).encode()


def _method(handler: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(handler, request_deserializer=json.loads, response_serializer=_dump)
