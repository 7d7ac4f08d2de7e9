"""What is a failure of the infrastructure, and so retried for ever, and what is a fault of the input.

The difference decides whether a delivery waits or is parked, so it is drawn in one place.
Of what our own code raises, whatever is not recognised here is a fault of the input or of the code: it is parked with
its stack and seen, rather than retried in silence. Of what comes out of the database and its driver it is the other
way round: only what is known to refuse a document is the document's fault, and everything else is tried again, loudly.
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


_UNENCODABLE = (
    UnicodeEncodeError,  # half of a surrogate pair
    OverflowError,  # a number of more than eight bytes
    RecursionError,  # nested too deep
)
"""What the driver's encoder raises about a document beside errors of its own."""

log = structlog.get_logger(__name__)


class InfrastructureError(Exception):
    """Something this process depends on is away; what was tried will be tried again."""


class DocumentRefused(Exception):
    """We refuse a document before the database would."""


def is_infrastructure(error: BaseException) -> bool:
    """Whether trying again later, with the same input, may well succeed."""
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
    """One line about what is tried again: a warning where the infrastructure failed, else an error with its stack."""
    known = is_infrastructure(error)
    level = logging.WARNING if known else logging.ERROR
    logger.log(level, event, error=repr(error)[:300], exc_info=None if known else error, **said)


def refuses_document(error: BaseException) -> bool:
    """Whether what a call of the database raised is the fault of what was to be written or looked for."""
    match error:
        case DocumentRefused():
            return True
        case BSONError():  # pymongo's DocumentTooLarge is one too
            return not isinstance(error, InvalidBSON)  # that is what the server sent
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
    """Around calls of the database alone: nothing that the driver gets wrong passes for a fault of the input.

    Raises:
        InfrastructureError: the driver broke in a way that says nothing of a document; it is logged with its stack.
    """
    try:
        yield
    except Exception as error:
        if is_infrastructure(error) or refuses_document(error):
            raise
        metrics.DATABASE_FAULTS.inc()
        log.exception("database_fault", error=repr(error))
        raise InfrastructureError(f"the database's driver broke: {error!r}") from error
