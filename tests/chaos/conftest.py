"""One platform for the tests that break its parts; each test restores what it breaks."""

from collections.abc import AsyncIterator

import pytest

from launcher.platform import Platform


@pytest.fixture(scope="session")
async def fragile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform with its own servers: those of other tests must not be killed."""
    folder = tmp_path_factory.mktemp("fragile")
    async with Platform(folder, mode=request.config.getoption("--infra")) as running:
        yield running
