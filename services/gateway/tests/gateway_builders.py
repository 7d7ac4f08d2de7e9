"""Support for tests of the gateway's gRPC services: a call by staff."""

from typing import Any

import grpc

from chassis.rpc.context import Call, handling
from chassis.rpc.identity import Caller


class Context:
    """The part of a gRPC context that the servicers use."""

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> None:
        raise RuntimeError(f"{code.name}: {details}")


LI = Caller(issuer="staff", subject="li", rights=frozenset({"keys.write", "keys.read"}))


async def as_staff(method: Any, request: Any) -> Any:
    """Call a method as staff."""
    with handling(Call("gateway", LI, 0.0)):
        return await method(request, Context())
