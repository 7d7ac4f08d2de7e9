"""Banned names are found everywhere except in their allowed places."""

import pytest
from forbidden import BANS, CODE, DOUBLE_ALLOWED, NUMBER_ALLOWED, ROOT, uses

SERVICE = "services/registry/src/registry/handlers.py"


@pytest.mark.parametrize(
    "source",
    [
        "moment.date()",
        "date.today()",
        "datetime.utcnow()",
        "datetime.utcfromtimestamp(0)",
        "moment.year",
        "map(datetime.date, x)",
    ],
)
def test_the_day_of_a_moment_is_asked_of_the_office_alone(source):
    (use,) = uses(SERVICE, f"x = 1\n{source}\n")
    assert use.startswith(f"{SERVICE}:2:")
    assert list(uses("services/declarations/src/declarations/domain/office_day.py", source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "text.isdigit()",
        "text.isprintable()",
        "all(map(str.isdecimal, texts))",
        "datetime.fromisoformat(text)",
        "date.fromisoformat(text)",
        "datetime.strptime(text, form)",
        "Decimal(text)",
        "Decimal(str(number))",
        'Decimal(fields["rate"])',
    ],
)
def test_a_number_or_a_moment_is_read_by_the_strict_readers_alone(source):
    (use,) = uses(SERVICE, source)
    assert "values." in use


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n @field_validator('x')\n def f(cls, x):\n  raise ValueError('no')",
        "class A:\n @model_validator(mode='after')\n def f(self):\n  assert self.x\n  return self",
        "def f(x):\n raise ValueError\nX = Annotated[str, AfterValidator(f)]",
    ],
)
def test_a_validator_refuses_in_words_of_its_own(source):
    (use,) = uses(SERVICE, source)
    assert "PydanticCustomError" in use


@pytest.mark.parametrize(
    "source",
    [
        "class MemoryClaims:\n pass",
        "class FakeRegistry:\n pass",
        "class ManualClock:\n pass",
        "class RecordingOutbox:\n pass",
        "def a_desk():\n pass",
        "async def an_event():\n pass",
        "class A:\n class _StubPort:\n  pass",
    ],
)
def test_fakes_and_builders_stay_out_of_what_is_delivered(source):
    (use,) = uses(SERVICE, source)
    assert "tests/" in use
    assert all(list(uses(name, source)) == [] for name in DOUBLE_ALLOWED)


@pytest.mark.parametrize(
    "source", ["class Memory:\n pass", "class Recorded:\n pass", "def also():\n pass", "def a():\n pass"]
)
def test_a_name_that_only_begins_like_a_fakes_may_be_given(source):
    assert list(uses(SERVICE, source)) == []


def test_elsewhere_an_error_of_value_may_be_raised():
    assert list(uses(SERVICE, "def f(x):\n raise ValueError(x)")) == []


@pytest.mark.parametrize(
    "source", ["Decimal(0)", 'Decimal("0.003")', "Decimal(10**15)", "Decimal(len(x))", "Decimal(-1)"]
)
def test_a_number_that_the_code_writes_out_or_counts_needs_no_reader(source):
    assert list(uses(SERVICE, source)) == []


@pytest.mark.parametrize(
    "source", ["min(request.page_size, 100)", "base64.b64decode(request.page_token)", "size = request.page_size or 50"]
)
def test_what_is_asked_of_a_page_is_judged_by_the_helper_alone(source):
    (use,) = uses(SERVICE, source)
    assert "chassis.rpc" in use


@pytest.mark.parametrize(
    "source", ["page_size(request.page_size, 100, 500)", 'page_id(request.page_token, "list")', "f(page_size=5)"]
)
def test_a_page_that_is_judged_is_let_be(source):
    assert list(uses(SERVICE, source)) == []


def test_texts_and_comments_may_name_what_is_banned():
    assert list(uses(SERVICE, '"""No .date() here."""\n# moment.date()\nday = office.day(moment)\n')) == []


def test_every_place_where_a_ban_does_not_hold_is_there_and_needs_it():
    for ban in BANS:
        for name in ban.allowed:
            source = (ROOT / name).read_text(encoding="utf-8")
            assert list(uses("elsewhere.py", source)), f"{name} has no use of {set(ban.attributes)}"

    for name in NUMBER_ALLOWED:
        assert list(uses("elsewhere.py", (ROOT / name).read_text(encoding="utf-8"))), f"{name} reads no number"

    for name in DOUBLE_ALLOWED:
        assert list(uses("elsewhere.py", (ROOT / name).read_text(encoding="utf-8"))), f"{name} holds no fake"


def test_the_code_of_every_service_is_looked_at():
    looked_at = {path.relative_to(ROOT).parts[1] for pattern in CODE[:1] for path in ROOT.glob(pattern)}
    assert looked_at == {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}


@pytest.mark.parametrize(
    "source", ["random.uniform(0, 1)", "stamp.ToDatetime()", "stamp.FromDatetime(now)", 'log.log(30, "it_failed")']
)
def test_what_the_chassis_does_once_is_not_done_again(source):
    (use,) = uses(SERVICE, source)
    assert "chassis." in use
