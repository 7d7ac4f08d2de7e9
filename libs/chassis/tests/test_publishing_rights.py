"""In every service, gRPC methods that publish events are turned away while the outbox is overloaded."""

import pytest

from chassis.mending.rpc import PARKING_RIGHTS
from chassis.rpc import Right
from declarations.grpc_server import RIGHTS as DECLARATIONS
from gateway.keys.grpc_server import RIGHTS as KEYS
from gateway.partners.grpc_server import RIGHTS as PARTNERS
from matching.grpc_server import RIGHTS as MATCHING
from notifications.grpc_server import RIGHTS as NOTIFICATIONS
from registry.app import RIGHTS as REGISTRY

METHODS: dict[str, Right] = {
    **PARKING_RIGHTS,
    **DECLARATIONS,
    **KEYS,
    **PARTNERS,
    **MATCHING,
    **NOTIFICATIONS,
    **REGISTRY,
}
ASKING = ("List", "Get", "Check", "Show", "Plan", "Find", "Explain")
WITHOUT_EVENTS = {
    "IssueKey": "a key is no event",
    "RevokeKey": "a key is no event, and must be ended at any time",
    "EraseRecipient": "what is erased stands in no event",
    "DiscardParked": "leaves a line in the audit and the history",
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_changes_something_publishes_or_is_known_not_to(method: str) -> None:
    name = method.rpartition("/")[2]
    assert METHODS[method].publishes is not (name.startswith(ASKING) or name in WITHOUT_EVENTS)


def test_what_is_known_to_publish_nothing_exists() -> None:
    assert set(WITHOUT_EVENTS) <= {method.rpartition("/")[2] for method in METHODS}
