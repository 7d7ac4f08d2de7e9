"""What is a failure of the infrastructure, and so retried for ever, and what is a fault of the input.

The difference decides whether a delivery waits or is parked, so it is drawn in one place.
Whatever is not recognised here is a fault of the input or of the code: it is parked with its
stack and seen, rather than retried in silence.
"""

import grpc
from aiokafka.errors import KafkaError
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError

_DATA_CODES = frozenset(
    {
        2,  # BadValue
        9,  # FailedToParse
        14,  # TypeMismatch
        28,  # PathNotViable
        40,  # ConflictingUpdateOperators
        52,  # DollarPrefixedFieldName
        54,  # NotSingleValueField
        121,  # DocumentValidationFailure
        171,  # CannotIndexParallelArrays
        10334,  # BSONObjectTooLarge
        11000,  # DuplicateKey
        17280,  # KeyTooLong
        17419,  # resulting document after update is too large
        17420,
    }
)
"""Server error codes that come from the data of a write; every other code is the server's condition."""

_PASSING_STATUS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,  # one of the two is stopping
        grpc.StatusCode.UNAUTHENTICATED,  # a key that the peer does not know yet: its condition, not the input's
    }
)


class InfrastructureError(Exception):
    """Something this process depends on is away; what was tried will be tried again."""


def is_infrastructure(error: BaseException) -> bool:
    """Whether trying again later, with the same input, may well succeed."""
    match error:
        case InfrastructureError() | ConnectionFailure() | ExecutionTimeout() | KafkaError():
            return True
        case BulkWriteError():
            details = error.details or {}
            codes = {int(each.get("code", 0)) for each in details.get("writeErrors", ())}
            return bool(details.get("writeConcernErrors")) or bool(codes - _DATA_CODES)
        case OperationFailure():
            return error.code not in _DATA_CODES
        case PyMongoError():
            return False
        case grpc.aio.AioRpcError():
            return error.code() in _PASSING_STATUS
        case ConnectionError() | TimeoutError():
            return True
        case _:
            return False
