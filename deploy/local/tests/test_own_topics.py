"""The platform's topics on shared servers belong to one file of tests at a time."""

import ast
from collections.abc import Iterator
from pathlib import Path

from contracts import topics

ROOT = Path(__file__).resolve().parents[3]
TESTS = ("*/*/tests/**/*.py", "cli/tests/**/*.py", "tests/**/*.py")


def creations(source: str) -> Iterator[int]:
    """Lines on which a test puts a topic of the platform on the servers that files share, past `event_topics`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="infrastructure"), attr="create_topics")):
                named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                if any(isinstance(vars(topics).get(name), topics.Topic | tuple) for name in named):
                    yield node.lineno
            case _:
                pass


def test_the_platforms_topics_are_asked_of_the_fixture_that_empties_them() -> None:
    files = [path for pattern in TESTS for path in ROOT.glob(pattern) if ".venv" not in path.parts]
    assert len(files) > 200
    assert {str(path.relative_to(ROOT)): found for path in files if (found := list(creations(path.read_text())))} == {}


def test_a_topic_that_a_file_shares_with_others_is_seen() -> None:
    assert list(creations("await infrastructure.create_topics(EVENT_TOPICS)")) == [1]
    assert list(creations("await infrastructure.create_topics([*EVENT_TOPICS, SUMS])")) == [1]
    assert list(creations("await infrastructure.create_topics([REGISTRY])")) == [1]
    assert list(creations("await infrastructure.create_topics([SUMS, inbox(partner)])")) == []
