"""A service is a folder and rows of the topics table; every list of services fails a test if it lacks one."""

import tomllib
from pathlib import Path

from chaos.cells.six_services import POINTS
from chaos.judging.invariants.addressed import GROUPS

from contracts.topics import EVENT_TOPICS, SERVICES

CHECKOUT = Path(__file__).parents[3]
FOLDERS = sorted(each.parent.name for each in CHECKOUT.glob("services/*/pyproject.toml"))
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]


def test_every_folder_of_services_is_in_the_topics_table_and_the_other_way_round() -> None:
    assert sorted(SERVICES) == FOLDERS


def test_types_and_layers_of_every_service_are_checked() -> None:
    unchecked = set(FOLDERS) - set(SETTINGS["importlinter"]["root_packages"])
    assert not unchecked, "pyproject.toml, tool.importlinter.root_packages: import-linter takes no pattern there"
    circles = next(each for each in SETTINGS["importlinter"]["contracts"] if each["id"] == "circles")
    assert set(circles["ancestors"]) == set(SETTINGS["importlinter"]["root_packages"])
    unseen = {f"services/{name}/src" for name in FOLDERS} - set(SETTINGS["mypy"]["mypy_path"])
    assert not unseen, "pyproject.toml, tool.mypy.mypy_path: mypy takes no pattern there"


def test_every_service_is_struck_and_every_reader_is_judged() -> None:
    assert set(POINTS) == set(SERVICES)
    assert set(GROUPS) == {reader for topic in EVENT_TOPICS for reader in topic.readers}
