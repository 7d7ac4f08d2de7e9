"""gRPC between services: client, server, callers and their rights, statuses and page tokens.

Owns: callers' tokens, the authorisation of each call, deadlines, and the translation of failures into statuses.
Keeps: no method runs for a caller without the right to it. Must not know aggregates or Kafka.
"""

from chassis.rpc.certificates import Certificates
from chassis.rpc.client import connect
from chassis.rpc.context import current_caller, deadline_left
from chassis.rpc.counting import counted
from chassis.rpc.identity import STAFF, Caller, InvalidToken, TokenSigner, TokenVerifier, create_key
from chassis.rpc.moments import moment_of, stamp_of
from chassis.rpc.pages import MAX_PAGE_SIZE, PAGE_SIZE, page_id, page_of, page_place, page_size
from chassis.rpc.paging import BadCursor, Place, cursor, id_of, place_of
from chassis.rpc.rights import Right
from chassis.rpc.server import GrpcServer
from chassis.rpc.status import RpcError, abort, reason_of, violations_of

__all__ = [
    "MAX_PAGE_SIZE",
    "PAGE_SIZE",
    "STAFF",
    "BadCursor",
    "Caller",
    "Certificates",
    "GrpcServer",
    "InvalidToken",
    "Place",
    "Right",
    "RpcError",
    "TokenSigner",
    "TokenVerifier",
    "abort",
    "connect",
    "counted",
    "create_key",
    "current_caller",
    "cursor",
    "deadline_left",
    "id_of",
    "moment_of",
    "page_id",
    "page_of",
    "page_place",
    "page_size",
    "place_of",
    "reason_of",
    "stamp_of",
    "violations_of",
]
