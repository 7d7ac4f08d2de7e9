"""Fixtures with real servers for tests: `infrastructure` (Kafka and a database), `event_topics` (the platform's topics
on them) and `platform` (all six services).

Loaded for the whole repository by `-p launcher.fixtures`. A test that uses one of them, or is in `tests/`, gets
the marker `infra`, unless it is marked `serverless`; a run with `-m "not infra"` starts no server.
`--infra=auto|local|containers|external` says where the servers come from.

`-n 2 --dist loadgroup` runs two workers, each with its own servers unless they are external; tests that share a
platform run on one worker.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from contracts.topics import EVENT_TOPICS
from launcher.infrastructure import MODES, Infrastructure
from launcher.platform import Platform
from launcher.stored_names import StoredNames, watch

_SERVERS = {"infrastructure", "event_topics", "platform"}
_PLATFORMS = {"platform", "fragile"}
"""Fixtures that are started once per worker."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--infra", choices=MODES, default="auto", help="where Kafka and the database come from")


_NAMES = pytest.StashKey[StoredNames]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NAMES] = watch()
    config.addinivalue_line("markers", "infra: needs a real Kafka and a real database")
    config.addinivalue_line("markers", "serverless: is in tests/, but needs no server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole = config.rootpath / "tests"
    for item in items:
        among_them = item.path.is_relative_to(whole) and item.get_closest_marker("serverless") is None
        if _SERVERS & set(getattr(item, "fixturenames", ())) or among_them:
            item.add_marker("infra")
        shared = _PLATFORMS & set(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group(min(shared, default=str(item.path))))


@pytest.fixture(autouse=True)
def stored_names(request: pytest.FixtureRequest) -> Iterator[StoredNames]:
    """Fails a test whose store writes a field name that the database does not accept."""
    names = request.config.stash[_NAMES]
    yield names
    if unfit := names.take():
        pytest.fail(f"wrote field names that the database does not accept: {', '.join(unfit)}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def infrastructure(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Infrastructure]:
    """A running Kafka and database for this test run only; each test uses its own topic and database names."""
    servers = Infrastructure(tmp_path_factory.mktemp("infrastructure"), mode=request.config.getoption("--infra"))
    async with servers:
        yield servers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def event_topics(infrastructure: Infrastructure) -> None:
    """The platform's topics, emptied for each file of tests.

    Otherwise a service that is rebuilt would fold events that another file has put on its topic, and a consumer group
    would read what another file has sent. On an external broker the topics keep their records.
    """
    await infrastructure.make_topics_anew(EVENT_TOPICS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """All six services, for this test run. A test that kills a part restarts it.

    It has its own servers: otherwise a service run by another test would share its consumer group.
    """
    folder, mode = tmp_path_factory.mktemp("platform"), request.config.getoption("--infra")
    async with Platform(folder, mode=mode) as running:
        yield running
