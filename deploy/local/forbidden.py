"""Names that production code may use in one place only, each for a reason; a row is a ban.

    .venv/bin/python deploy/local/forbidden.py [FILE ...]     # without files: the code of all services, libraries, cli

Judged by the syntax tree, so that a comment or a text may name what is banned. A ban holds for every
use of an attribute of that name, called or not: types are not known here, and a name that means
something harmless elsewhere gets another name or a place in the row.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services/*/src/**/*.py", "libs/*/src/**/*.py", "cli/src/**/*.py")


@dataclass(frozen=True)
class Ban:
    attributes: frozenset[str]
    why: str
    """What goes wrong, and what to use."""
    allowed: Mapping[str, str] = field(default_factory=dict)
    """File → why it may."""


BANS = (
    Ban(
        frozenset({"date", "today", "utcnow", "utcfromtimestamp", "year"}),
        "a moment's own date is the day in UTC: ask the customs office for its day (declarations.domain.office_day)",
        {
            "services/declarations/src/declarations/domain/office_day.py": "makes the office's day of a moment",
            "services/gateway/src/gateway/formats/bounds.py": "bounds of what a database can hold, no day",
            "services/gateway/src/gateway/firms/handlers.py": "a digit of a reference, which nothing is decided by",
        },
    ),
    Ban(
        frozenset({"isdigit", "isdecimal", "isnumeric"}),
        "true of digits of every script: values.numbers.is_digits, read_whole",
        {"libs/values/src/values/numbers.py": "says what a digit is"},
    ),
    Ban(
        frozenset({"isprintable"}),
        "true of what is ignored in display, as variation selectors: values.text.reference_fault, line_fault",
        {
            "libs/chassis/src/chassis/telemetry/cleaning.py": "looks for white space alone",
            "cli/src/trade_cli/send.py": "says of ASCII what a header can hold",
        },
    ),
    Ban(
        frozenset({"fromisoformat", "strptime"}),
        "reads week dates, bare days and moments without an offset: values.moments.read_moment, read_day",
        {"libs/values/src/values/moments.py": "reads them behind its own grammar"},
    ),
    Ban(
        frozenset({"uniform"}),
        "chance has its place in pauses alone: chassis.backoff.Backoff, jittered",
        {"libs/chassis/src/chassis/backoff.py": "draws it"},
    ),
    Ban(
        frozenset({"FromDatetime", "ToDatetime"}),
        "a Timestamp holds UTC and says so nowhere: chassis.rpc.stamp_of, moment_of",
        {"libs/chassis/src/chassis/rpc/moments.py": "reads and writes it"},
    ),
    Ban(
        frozenset({"log"}),
        "whether a failure passes or is a bug is decided once: chassis.failures.log_failure",
        {
            "libs/chassis/src/chassis/failures.py": "decides it",
            "libs/chassis/src/chassis/doors/answering.py": "says how a request was answered instead",
        },
    ),
    Ban(
        frozenset({"overloaded"}),
        "a door that asks for itself forgets a method: chassis.rpc.Right(publishes=True); HTTP goes by the method",
        {
            "libs/chassis/src/chassis/assembly.py": "tells the HTTP door",
            "libs/chassis/src/chassis/service.py": "tells the gRPC door and the consumer",
        },
    ),
    Ban(
        frozenset({"add_insecure_port", "start_server"}),
        "a door of its own has no places, no counts and no reading of errors: service.grpc, service.http",
        {
            "libs/chassis/src/chassis/rpc/server.py": "is the gRPC door",
            "libs/chassis/src/chassis/doors/admin.py": "asks no database, and must answer when nothing else does",
            "services/tracking/src/tracking/otlp.py": "asks no database: its queue drops what has no room",
        },
    ),
)

NUMBER_WHY = "Decimal reads 1_000 and digits of every script: values.numbers.read_decimal"
NUMBER_ALLOWED = {
    "libs/values/src/values/numbers.py": "reads it behind its own grammar",
    "services/gateway/src/gateway/formats/json_text.py": "a number of JSON, by JSON's own grammar",
}
"""File → why it may call `Decimal` with more than what the code itself writes out or counts."""
PAGE_FIELDS = frozenset({"page_size", "page_token"})
PAGE_HELPERS = frozenset({"page_size", "page_place", "page_id"})
PAGE_WHY = "a size may be negative, a token anybody's: chassis.rpc.page_size, page_place, page_id"
VALIDATORS = frozenset(
    {"field_validator", "model_validator", "AfterValidator", "BeforeValidator", "PlainValidator", "WrapValidator"}
)
VALIDATOR_WHY = "pydantic puts 'Value error, ' before its words, which people read: raise a PydanticCustomError"
_DOUBLE = re.compile(r"_?(?:Dummy|Fake|InMemory|Manual|Memory|Mock|Recording|Stub)[A-Z]|an?_[a-z]")
DOUBLE_WHY = "fakes and builders live beside the tests that use them: tests/<service>_fakes.py, _builders.py"
DOUBLE_ALLOWED = {
    "libs/chassis/src/chassis/testing.py": "is what the chassis offers to the tests of every service",
    "libs/chassis/src/chassis/aggregates/memory.py": "lies beside the real store; chassis.testing offers it",
    "libs/chassis/src/chassis/parking/memory.py": "lies beside the real store; chassis.testing offers it",
}
"""File → why it may hold classes that stand in for a real part, or functions `a_…` that build for tests."""
_COUNTED = frozenset({"int", "len", "round"})


def uses(name: str, source: str) -> Iterator[str]:
    """Every use of what is banned in the file of a name, as `name:line: reason`."""
    bans = [ban for ban in BANS if name not in ban.allowed]
    tree = ast.parse(source)
    yield from (f"{name}:{node.lineno}: .{node.attr}: {PAGE_WHY}" for node in _pages(tree))
    yield from (f"{name}:{node.lineno}: {ast.unparse(node)}: {VALIDATOR_WHY}" for node in _bare_refusals(tree))
    if name not in DOUBLE_ALLOWED:
        yield from (f"{name}:{node.lineno}: {node.name}: {DOUBLE_WHY}" for node in _doubles(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            for ban in bans:
                if node.attr in ban.attributes:
                    yield f"{name}:{node.lineno}: .{node.attr}: {ban.why}"
        elif isinstance(node, ast.Call) and name not in NUMBER_ALLOWED and _reads_a_number(node):
            yield f"{name}:{node.lineno}: {ast.unparse(node)}: {NUMBER_WHY}"


def _pages(tree: ast.AST) -> Iterator[ast.Attribute]:
    """What is asked of a page, wherever it is used otherwise than by the helper that judges it."""
    judged = {
        id(each)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in PAGE_HELPERS
        for each in call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in PAGE_FIELDS and id(node) not in judged:
            yield node


def _doubles(tree: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """What stands in for a real part, or builds for tests, by the names that such things have here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _DOUBLE.match(node.name):
            yield node


def _bare_refusals(tree: ast.AST) -> Iterator[ast.Raise | ast.Assert]:
    """What a validator of pydantic raises or asserts and pydantic would tell as an error of Python."""
    nodes = list(ast.walk(tree))
    calls = [each for each in nodes if isinstance(each, ast.Call) and _is_validator(each)]
    named = {each.id for call in calls for each in call.args if isinstance(each, ast.Name)}
    for function in nodes:
        if isinstance(function, ast.FunctionDef) and (
            function.name in named or any(map(_is_validator, function.decorator_list))
        ):
            yield from (each for each in ast.walk(function) if _is_bare(each))


def _is_validator(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VALIDATORS


def _is_bare(node: ast.AST) -> TypeGuard[ast.Raise | ast.Assert]:
    raised = node.exc if isinstance(node, ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(node, ast.Assert) or (isinstance(raised, ast.Name) and raised.id == "ValueError")


def _reads_a_number(call: ast.Call) -> bool:
    """Whether a call makes a number of something that the code neither writes out nor counts."""
    named = isinstance(call.func, ast.Name) and call.func.id == "Decimal"
    return named and not all(_is_known(each) for each in call.args)


def _is_known(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.BinOp(left=left, right=right):
            return _is_known(left) and _is_known(right)
        case ast.UnaryOp(operand=operand):
            return _is_known(operand)
        case ast.Call(func=ast.Name(id=name)):
            return name in _COUNTED
        case _:
            return False


def main(arguments: list[str]) -> int:
    paths = [Path(each) for each in arguments] or sorted(path for pattern in CODE for path in ROOT.glob(pattern))
    found = [use for path in paths for use in uses(_name(path), path.read_text(encoding="utf-8"))]
    print("\n".join(found))
    return 1 if found else 0


def _name(path: Path) -> str:
    return path.resolve().relative_to(ROOT).as_posix()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
