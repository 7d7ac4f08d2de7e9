"""gRPC between services: who calls, by what right, by when, and what became of it."""

from chassis.identity import Caller, InvalidToken, TokenSigner, TokenVerifier, create_key
from chassis.rpc.client import connect
from chassis.rpc.context import current_caller, deadline_left
from chassis.rpc.pages import MAX_PAGE_SIZE, PAGE_SIZE, page_id, page_place, page_size
from chassis.rpc.rights import Right
from chassis.rpc.server import GrpcServer
from chassis.rpc.status import RpcError, abort, reason_of, violations_of

__all__ = [
    "MAX_PAGE_SIZE",
    "PAGE_SIZE",
    "Caller",
    "GrpcServer",
    "InvalidToken",
    "Right",
    "RpcError",
    "TokenSigner",
    "TokenVerifier",
    "abort",
    "connect",
    "create_key",
    "current_caller",
    "deadline_left",
    "page_id",
    "page_place",
    "page_size",
    "reason_of",
    "violations_of",
]
