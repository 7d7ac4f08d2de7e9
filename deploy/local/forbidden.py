"""Bans: names that production code may use only in the places listed, each with its reason.

    .venv/bin/python deploy/local/forbidden.py [FILE ...]     # without files: the code of all services, libraries, cli

The check works on the syntax tree, so comments and texts may mention banned names. A ban covers every use of an
attribute of that name, called or not, because types are unknown here. A harmless use needs another name, or an entry
in the row.
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
    """The reason, and what to use instead."""
    allowed: Mapping[str, str] = field(default_factory=dict)
    """File → why it is allowed there."""


BANS = (
    Ban(
        frozenset({"date", "today", "utcnow", "utcfromtimestamp", "year"}),
        "the date of a moment is its day in UTC: use the customs office's day (declarations.domain.office_day)",
        {
            "services/declarations/src/declarations/domain/office_day.py": "computes the office's day of a moment",
            "services/gateway/src/gateway/formats/bounds.py": "bounds of what a database can hold, not a day",
            "services/gateway/src/gateway/firms/handlers.py": "a digit of a reference, on which nothing depends",
        },
    ),
    Ban(
        frozenset({"isdigit", "isdecimal", "isnumeric"}),
        "true of digits of every script: values.numbers.is_digits, read_whole",
        {"libs/values/src/values/numbers.py": "defines what a digit is"},
    ),
    Ban(
        frozenset({"isprintable"}),
        "true of characters that display ignores, such as variation selectors: values.text.reference_fault, line_fault",
        {
            "libs/chassis/src/chassis/telemetry/cleaning.py": "looks for white space alone",
            "cli/src/trade_cli/send.py": "says of ASCII what a header can hold",
        },
    ),
    Ban(
        frozenset({"fromisoformat", "strptime"}),
        "reads week dates, bare days and moments without an offset: values.moments.read_moment, read_day",
        {"libs/values/src/values/moments.py": "parses after its own grammar check"},
    ),
    Ban(
        frozenset({"uniform"}),
        "only pauses are random: chassis.backoff.Backoff, jittered",
        {"libs/chassis/src/chassis/backoff.py": "implements them"},
    ),
    Ban(
        frozenset({"FromDatetime", "ToDatetime"}),
        "a Timestamp is in UTC without saying so: chassis.rpc.stamp_of, moment_of",
        {"libs/chassis/src/chassis/rpc/moments.py": "converts it"},
    ),
    Ban(
        frozenset({"log"}),
        "whether a failure is transient or a bug is decided in one place: chassis.failures.log_failure",
        {
            "libs/chassis/src/chassis/failures.py": "decides it",
            "libs/chassis/src/chassis/doors/answering.py": "logs how a failed request was answered",
        },
    ),
    Ban(
        frozenset({"overloaded"}),
        "a door that checks by itself may miss a method: chassis.rpc.Right(publishes=True); HTTP goes by the method",
        {
            "libs/chassis/src/chassis/assembly.py": "passes it to the HTTP door",
            "libs/chassis/src/chassis/service.py": "passes it to the gRPC door and the consumer",
        },
    ),
    Ban(
        frozenset({"add_insecure_port", "add_secure_port", "start_server"}),
        "a server of its own has no admission, metrics or error mapping: service.grpc, service.http",
        {
            "libs/chassis/src/chassis/rpc/server.py": "is the gRPC door",
            "libs/chassis/src/chassis/doors/admin.py": "uses no database, and must answer when nothing else does",
            "services/tracking/src/tracking/otlp.py": "uses no database: its queue drops what does not fit",
        },
    ),
    Ban(
        frozenset({"insecure_channel", "secure_channel"}),
        "a channel of its own shows no certificate, token or deadline: chassis.rpc.connect",
        {"libs/chassis/src/chassis/rpc/client.py": "is connect"},
    ),
)

NUMBER_WHY = "Decimal accepts 1_000 and digits of every script: values.numbers.read_decimal"
NUMBER_ALLOWED = {
    "libs/values/src/values/numbers.py": "parses after its own grammar check",
    "services/gateway/src/gateway/formats/json_text.py": "a number of JSON, by JSON's own grammar",
}
"""File → why it may call `Decimal` with more than literals and counts."""
PAGE_FIELDS = frozenset({"page_size", "page_token"})
PAGE_HELPERS = frozenset({"page_size", "page_place", "page_id"})
PAGE_WHY = "a size may be negative, a token anybody's: chassis.rpc.page_size, page_place, page_id"
VALIDATORS = frozenset(
    {"field_validator", "model_validator", "AfterValidator", "BeforeValidator", "PlainValidator", "WrapValidator"}
)
VALIDATOR_WHY = "pydantic puts 'Value error, ' before its words, which people read: raise a PydanticCustomError"
_DOUBLE = re.compile(r"_?(?:Dummy|Fake|InMemory|Manual|Memory|Mock|Recording|Stub)[A-Z]|an?_[a-z]")
DOUBLE_WHY = "fakes and builders belong to the tests: tests/<service>_fakes.py, _builders.py"
DOUBLE_ALLOWED = {
    "libs/chassis/src/chassis/testing.py": "the chassis's test doubles for services",
    "libs/chassis/src/chassis/aggregates/memory.py": "kept next to the real store; exported by chassis.testing",
    "libs/chassis/src/chassis/parking/memory.py": "kept next to the real store; exported by chassis.testing",
}
"""File → why it may define test doubles, or test builders `a_…`."""
_COUNTED = frozenset({"int", "len", "round"})


def uses(name: str, source: str) -> Iterator[str]:
    """Every banned use in the source of file `name`, as `name:line: reason`."""
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
    """Uses of a request's page fields other than through the helpers that validate them."""
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
    """Test doubles and test builders, recognised by their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _DOUBLE.match(node.name):
            yield node


def _bare_refusals(tree: ast.AST) -> Iterator[ast.Raise | ast.Assert]:
    """Raises and asserts in pydantic validators that pydantic would report as Python errors."""
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
    """Whether a call converts anything but a literal or a count."""
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
