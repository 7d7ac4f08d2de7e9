"""Fixtures that give tests real servers: `infrastructure` (Kafka and a database) and `platform` (all six services).

Loaded for the whole repository by `-p launcher.fixtures`. A test that asks for either, or stands in
`tests/` with those of the whole platform, carries the marker `infra`, unless it says that it is `serverless`; a
run of `-m "not infra"` starts no server. `--infra=auto|local|containers|external` says where the servers come from.

`-n 2 --dist loadgroup` runs two at once, each with servers of its own unless they are external; those that share a
platform stay together.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from launcher.infrastructure import MODES, Infrastructure
from launcher.platform import Platform
from launcher.stored_names import StoredNames, watch

_SERVERS = {"infrastructure", "platform"}
_PLATFORMS = {"platform", "fragile"}
"""Each is started once per worker that needs it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--infra", choices=MODES, default="auto", help="where Kafka and the database come from")


_NAMES = pytest.StashKey[StoredNames]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NAMES] = watch()
    config.addinivalue_line("markers", "infra: needs a real Kafka and a real database")
    config.addinivalue_line("markers", "serverless: stands in tests/, and needs no server all the same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole = config.rootpath / "tests"
    for item in items:
        among_them = item.path.is_relative_to(whole) and item.get_closest_marker("serverless") is None
        if _SERVERS & set(getattr(item, "fixturenames", ())) or among_them:
            item.add_marker("infra")
        shared = _PLATFORMS & set(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group(min(shared, default=item.path.name)))


@pytest.fixture(autouse=True)
def stored_names(request: pytest.FixtureRequest) -> Iterator[StoredNames]:
    """Fails the test that had a store write a field of a name that the database does not take."""
    names = request.config.stash[_NAMES]
    yield names
    if unfit := names.take():
        pytest.fail(f"written under names that the database does not take: {', '.join(unfit)}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def infrastructure(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Infrastructure]:
    """A running Kafka and database of this test run alone; tests take topics and databases of their own names."""
    servers = Infrastructure(tmp_path_factory.mktemp("infrastructure"), mode=request.config.getoption("--infra"))
    async with servers:
        yield servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """All six services, for this test run. Who kills a part starts it again.

    It has servers of its own: a service that another test runs by itself would share its consumer group with it.
    """
    folder, mode = tmp_path_factory.mktemp("platform"), request.config.getoption("--infra")
    async with Platform(folder, mode=mode) as running:
        yield running
