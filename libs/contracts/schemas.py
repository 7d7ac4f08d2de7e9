#!/usr/bin/env python
"""Updates the golden JSON Schemas of all event types from the contracts, and refuses breaking changes.

    python libs/contracts/schemas.py                    write new and compatibly changed schemas
    python libs/contracts/schemas.py --check            only compare; exit status 1 if something differs
    python libs/contracts/schemas.py --example TYPE …   write the skeleton of a golden payload, to be filled in
    python libs/contracts/schemas.py --reset TYPE …     discard an old schema: only if the type was never published

A type that was removed from the contracts keeps its golden schema, because its published events must stay readable.
"""

import argparse
import difflib
import json
import sys
from pathlib import Path
from typing import Any

from contracts.events import EventType, event_types
from contracts.evolution import breaks
from contracts.examples import example

GOLDEN = Path(__file__).parent / "golden"
RUN = "python libs/contracts/schemas.py"


def schema_text(event: EventType) -> str:
    """The JSON Schema of a type as written to its golden file: sorted, so that it is stable."""
    schema = event.payload.model_json_schema() | {"$id": event.name}
    return _text(schema)


def schema_file(name: str) -> Path:
    return GOLDEN / "schemas" / f"{name}.json"


def payload_file(name: str) -> Path:
    return GOLDEN / "payloads" / f"{name}.json"


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def findings(event: EventType) -> list[str]:
    """The problems between a type and its golden schema, with advice."""
    file = schema_file(event.name)
    if not file.exists():
        return [f"{event.name}: no golden schema; run: {RUN}"]
    old, new = file.read_text(encoding="utf-8"), schema_text(event)
    if old == new:
        return []
    broken = breaks(json.loads(old), json.loads(new))
    if broken:
        advice = "make it a new major version; only if it was never published: "
        return [f"{event.name}: {each}" for each in broken] + [f"  {advice}{RUN} --reset {event.name}"]
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "golden", "contract", lineterm="", n=1)
    return [f"{event.name}: differs; run: {RUN}", *lines]


def check(types: dict[str, EventType]) -> list[str]:
    """Findings of all types, and published types whose module is missing."""
    found = [line for event in types.values() for line in findings(event)]
    gone = [file.stem for file in sorted((GOLDEN / "schemas").glob("*.json")) if file.stem not in types]
    return found + [
        f"{name}: was published but is missing from the contracts; past versions must stay readable" for name in gone
    ]


def write(types: dict[str, EventType]) -> list[str]:
    """Write the compatible schemas; return the findings of the others."""
    refused = []
    for event in types.values():
        file, new = schema_file(event.name), schema_text(event)
        old = file.read_text(encoding="utf-8") if file.exists() else None
        if old == new:
            continue
        if old is not None and breaks(json.loads(old), json.loads(new)):
            refused += findings(event)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(new, encoding="utf-8")
        print(f"{'wrote' if old is None else 'updated'} {file}")
    return refused


def write_examples(types: dict[str, EventType], names: list[str]) -> None:
    """Write skeletons of golden payloads; existing ones are kept."""
    for name in names:
        file = payload_file(name)
        if file.exists():
            print(f"{file} exists already")
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_text(example(types[name].payload)), encoding="utf-8")
        print(f"wrote {file}; fill in real values")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--example", nargs="+", metavar="TYPE", help="write skeletons of golden payloads")
    parser.add_argument("--reset", nargs="+", metavar="TYPE", help="discard old schemas")
    arguments = parser.parse_args()
    types = event_types()
    unknown = [name for name in [*(arguments.example or ()), *(arguments.reset or ())] if name not in types]
    if unknown:
        parser.error(f"no such event type: {', '.join(unknown)}")
    if arguments.example:
        write_examples(types, arguments.example)
        return 0
    for name in arguments.reset or ():
        schema_file(name).unlink(missing_ok=True)
    problems = check(types) if arguments.check else write(types)
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    if not problems:
        print(f"{len(types)} event types, golden schemas are up to date")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
