"""What is too long to be read at one sitting is found; what is at the bound is let be."""

import pytest
from sizes import (
    FILE_LINES,
    FUNCTION_LINES,
    MEDIAN_FILE_LINES,
    MEDIAN_FUNCTION_LINES,
    measure,
    medians_exceeded,
    too_long,
)


def function(lines: int, *, head: str = "def f():") -> str:
    return "\n".join([head, *["    x = 1"] * (lines - 1)]) + "\n"


def test_a_file_may_have_so_many_lines_and_no_more() -> None:
    assert list(too_long({"a.py": measure("x = 1\n" * FILE_LINES)})) == []
    (found,) = too_long({"a.py": measure("x = 1\n" * (FILE_LINES + 1))})
    assert found.startswith(f"a.py: {FILE_LINES + 1} lines")


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class A:\n  def f(self):"])
def test_a_function_may_have_so_many_lines_and_no_more(head: str) -> None:
    assert list(too_long({"a.py": measure(function(FUNCTION_LINES, head=head))})) == []
    (found,) = too_long({"a.py": measure(function(FUNCTION_LINES + 1, head=head))})
    assert "f has" in found


def test_decorators_do_not_make_a_function_longer() -> None:
    assert list(too_long({"a.py": measure("@decorated\n" * 10 + function(FUNCTION_LINES))})) == []


def test_the_medians_are_bounded_too() -> None:
    long = {f"{each}.py": measure(function(MEDIAN_FUNCTION_LINES + 1)) for each in "abc"}
    assert list(medians_exceeded(long)) == [
        f"the median function has {MEDIAN_FUNCTION_LINES + 1} lines, at most {MEDIAN_FUNCTION_LINES}"
    ]
    files = {f"{each}.py": measure("x = 1\n" * (MEDIAN_FILE_LINES + 1)) for each in "abc"}
    assert list(medians_exceeded(files)) == [
        f"the median file has {MEDIAN_FILE_LINES + 1} lines, at most {MEDIAN_FILE_LINES}"
    ]


def test_an_empty_file_makes_no_median_smaller() -> None:
    files = {f"{each}.py": measure("x = 1\n" * (MEDIAN_FILE_LINES + 1)) for each in "ab"}
    assert list(medians_exceeded({**files, **{f"{each}/__init__.py": measure("") for each in "cdef"}}))
