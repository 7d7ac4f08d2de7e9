"""Only transient failures are retried; faults of the data are parked."""

import bson
import grpc
import pytest
import structlog
from aiokafka.errors import KafkaConnectionError
from pymongo import errors

from chassis.aggregates.model import DocumentTooLarge
from chassis.failures import InfrastructureError, at_the_database, is_infrastructure, log_failure, refuses_document


def refused_write(*codes: int) -> errors.BulkWriteError:
    return errors.BulkWriteError({"writeErrors": [{"code": code} for code in codes], "writeConcernErrors": []})


def peer_answered(code: grpc.StatusCode) -> Exception:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing)


def unencodable(value: object) -> Exception:
    try:
        bson.encode(value if isinstance(value, dict) else {"value": value})
    except Exception as error:
        return error
    raise AssertionError("it can be encoded")


@pytest.mark.parametrize(
    "error",
    [
        InfrastructureError("away"),
        KafkaConnectionError("away"),
        ConnectionRefusedError("away"),
        TimeoutError("away"),
        errors.AutoReconnect("away"),
        errors.NotPrimaryError("not primary"),
        errors.ServerSelectionTimeoutError("none"),
        errors.WriteConcernError("majority", 64, {}),
        errors.OperationFailure("max time", 50, {}),
        errors.OperationFailure("max time", 262, {}),
        errors.OperationFailure("disk full", 14031, {}),
        errors.CursorNotFound("gone", 43, {}),
        errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        refused_write(11000, 91),
        peer_answered(grpc.StatusCode.UNAVAILABLE),
        peer_answered(grpc.StatusCode.CANCELLED),  # cut off by the stop of one side
        peer_answered(grpc.StatusCode.UNAUTHENTICATED),  # a key that was rotated, and did not get there yet
    ],
    ids=lambda error: f"{type(error).__name__}",
)
def test_a_server_that_is_away_or_not_well_is_waited_for(error: Exception) -> None:
    assert is_infrastructure(error)


@pytest.mark.parametrize(
    "error",
    [
        refused_write(10334),
        refused_write(11000, 17419),
        errors.OperationFailure("element in {list: []}", 28, {}),
        errors.OperationFailure("conflict at 'state'", 40, {}),
        errors.OperationFailure("parallel arrays", 171, {}),
        errors.DocumentTooLarge("too large"),
        unencodable(2**64),
        unencodable(object()),
        unencodable("\ud800"),
        KeyError("bug"),
        ValueError("bug"),
        grpc.RpcError("of no known kind"),
    ],
    ids=lambda error: f"{type(error).__name__}",
)
def test_what_lies_in_the_data_or_in_the_code_is_not(error: Exception) -> None:
    assert not is_infrastructure(error)


def nested(depth: int) -> dict[str, object]:
    document: dict[str, object] = {}
    for _ in range(depth):
        document = {"in": document}
    return document


DOCUMENTS = [
    DocumentTooLarge("too large"),
    errors.DocumentTooLarge("too large"),
    unencodable(2**64),
    unencodable(object()),
    unencodable("\ud800"),
    unencodable({"a\0b": 1}),
    unencodable({1: 2}),
    unencodable(nested(5000)),
    refused_write(10334),
    refused_write(11000, 17419),
    errors.OperationFailure("nested too deep", 15, {}),
    errors.OperationFailure("The dollar ($) prefixed field is not allowed", 52, {}),
    errors.WriteError("would be too large", 17419, {}),
]

FAULTS = [
    errors.PyMongoError("of no known kind"),
    errors.InvalidOperation("Cannot use AsyncMongoClient after close"),
    errors.ConfigurationError("no such read concern"),
    errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": []}),
    errors.ProtocolError("unexpected reply"),
    bson.errors.InvalidBSON("what the server sent is cut off"),
    AttributeError("'NoneType' object has no attribute 'sock'"),
    AssertionError(),
    RuntimeError("no running event loop"),
    TypeError("object NoneType can't be used in 'await' expression"),
    KeyError("cursor"),
    OSError(24, "Too many open files"),
]


@pytest.mark.parametrize("error", DOCUMENTS, ids=lambda error: type(error).__name__)
def test_what_the_document_is_refused_for_is_its_own_fault(error: Exception) -> None:
    assert refuses_document(error)
    assert not is_infrastructure(error)
    with pytest.raises(type(error)), at_the_database():
        raise error


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_fault_of_the_driver_is_tried_again_and_never_the_document_s(error: Exception) -> None:
    assert not refuses_document(error)
    with pytest.raises(Exception) as raised, at_the_database():
        raise error
    assert is_infrastructure(raised.value)


@pytest.mark.parametrize(
    ("error", "level", "stack"), [(ConnectionError("away"), "warning", False), (ValueError("a bug"), "error", True)]
)
def test_a_failure_is_a_warning_where_it_passes_and_else_an_error_with_its_stack(
    error: Exception, level: str, stack: bool
) -> None:
    with structlog.testing.capture_logs() as lines:
        log_failure(structlog.get_logger("x"), "it_failed", error, records=3)
    (line,) = lines
    assert (line["event"], line["log_level"], line["records"]) == ("it_failed", level, 3)
    assert (line["exc_info"] is error) == stack
    assert line["error"] == repr(error)
