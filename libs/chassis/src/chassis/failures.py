"""Which errors are infrastructure failures, retried for ever, and which are faults of the input.

The difference decides whether a delivery is retried or parked, so it is decided in one place.
An unknown error of our own code counts as a fault of the input or the code: the delivery is parked with its stack,
where staff see it, rather than retried in silence. An unknown error of the database or its driver counts as
infrastructure: only errors known to refuse a document are the document's fault; all others are retried and logged.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import structlog
from aiokafka.errors import KafkaError
from bson.errors import BSONError, InvalidBSON
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from chassis.telemetry import metrics

_DATA_CODES = frozenset(
    {
        2,  # BadValue
        9,  # FailedToParse
        14,  # TypeMismatch
        15,  # Overflow: nested too deep
        28,  # PathNotViable
        40,  # ConflictingUpdateOperators
        52,  # DollarPrefixedFieldName
        54,  # NotSingleValueField
        56,  # EmptyFieldName
        57,  # DottedFieldName
        66,  # ImmutableField
        121,  # DocumentValidationFailure
        171,  # CannotIndexParallelArrays
        10334,  # BSONObjectTooLarge
        11000,  # DuplicateKey
        17280,  # KeyTooLong
        17419,  # resulting document after update is too large
        17420,
    }
)
"""Server error codes caused by the data of a write; every other code is the server's condition."""

_PASSING_STATUS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,  # caller or peer is stopping
        grpc.StatusCode.UNAUTHENTICATED,  # the peer does not know our key yet: not the input's fault
    }
)


_UNENCODABLE = (
    UnicodeEncodeError,  # a lone surrogate
    OverflowError,  # an integer of more than eight bytes
    RecursionError,  # nested too deep
)
"""Built-in errors that the driver's encoder raises about a document, in addition to its own."""

log = structlog.get_logger(__name__)


class InfrastructureError(Exception):
    """Something this process depends on is unavailable; the work will be retried."""


class DocumentRefused(Exception):
    """We refuse a document that the database would refuse."""


def is_infrastructure(error: BaseException) -> bool:
    """Whether a later retry with the same input may succeed."""
    match error:
        case InfrastructureError() | KafkaError():
            return True
        case PyMongoError():
            return not refuses_document(error)
        case grpc.aio.AioRpcError():
            return error.code() in _PASSING_STATUS
        case ConnectionError() | TimeoutError():
            return True
        case _:
            return False


def log_failure(logger: structlog.stdlib.BoundLogger, event: str, error: BaseException, **said: object) -> None:
    """Log a failure that will be retried: a warning for infrastructure, otherwise an error with its stack."""
    known = is_infrastructure(error)
    level = logging.WARNING if known else logging.ERROR
    logger.log(level, event, error=repr(error)[:300], exc_info=None if known else error, **said)


def words_for(error: BaseException) -> str:
    """An error that will be retried, in one line: its own text where it has one for the operator."""
    return str(error) if isinstance(error, InfrastructureError) else repr(error)[:300]


def refuses_document(error: BaseException) -> bool:
    """Whether a database call failed because of the document or query, rather than the server."""
    match error:
        case DocumentRefused():
            return True
        case BSONError():  # pymongo's DocumentTooLarge is one too
            return not isinstance(error, InvalidBSON)  # raised about what the server sent
        case BulkWriteError():
            details = error.details or {}
            codes = {int(each.get("code", 0)) for each in details.get("writeErrors", ())}
            return bool(codes) and codes <= _DATA_CODES and not details.get("writeConcernErrors")
        case OperationFailure():
            return error.code in _DATA_CODES
        case _:
            return isinstance(error, _UNENCODABLE)


@contextmanager
def at_the_database() -> Iterator[None]:
    """Wrap database calls only, so that a driver error never passes for a fault of the input.

    Raises:
        InfrastructureError: the driver failed in a way that says nothing about a document; logged with its stack.
    """
    try:
        yield
    except Exception as error:
        if is_infrastructure(error) or refuses_document(error):
            raise
        metrics.DATABASE_FAULTS.inc()
        log.exception("database_fault", error=repr(error))
        raise InfrastructureError(f"the database driver failed: {error!r}") from error
