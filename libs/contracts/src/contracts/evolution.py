"""Checks that a changed payload is compatible: old readers can read new events, and new readers can read old events.

Compares two JSON Schemas of one event type. Within a major version a field may be added if it is
optional, a description may change, a limit may be widened and an enumeration may grow (readers are
rolled out before the first writer of the new value). Everything else needs a new major version.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_UPPER_LIMITS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems")
_LOWER_LIMITS = ("minLength", "minimum", "exclusiveMinimum", "minItems")
_SAME = ("pattern", "format", "const")


def breaks(old: Schema, new: Schema) -> list[str]:
    """The breaking changes from `old` to `new`, each with the path of its field; empty if there are none."""
    return list(_compare(old, new, old, new, ""))


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _compare(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    old_kinds, new_kinds = _kinds(old, old_root), _kinds(new, new_root)
    where = path or "/"
    lost = sorted(old_kinds.keys() - new_kinds.keys())
    if lost:
        yield f"{where}: was {' or '.join(sorted(old_kinds))}, is {' or '.join(sorted(new_kinds))}"
        return
    for kind, old_kind in old_kinds.items():
        yield from _compare_kind(old_kind, new_kinds[kind], old_root, new_root, path)
    gained = sorted(new_kinds.keys() - old_kinds.keys())
    if gained:
        yield f"{where}: may now be {' or '.join(gained)}, which an older reader does not expect"


def _kinds(schema: Schema, root: Schema) -> dict[str, Schema]:
    """JSON type → schema of each alternative."""
    schema = _resolve(schema, root)
    alternatives = [_resolve(each, root) for each in schema.get("anyOf") or schema.get("oneOf") or [schema]]
    types = [str(each.get("type", "anything")) for each in alternatives]
    return {
        type_ if types.count(type_) == 1 else f"{type_} {each.get('title', each.get('format', ''))}".rstrip(): each
        for type_, each in zip(types, alternatives, strict=True)
    }


def _compare_kind(old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str) -> Iterator[str]:
    where = path or "/"
    yield from _limits(old, new, where)
    allowed: list[Any] = new.get("enum") or old.get("enum", [])
    lost = [value for value in old.get("enum", []) if value not in allowed]
    if lost or ("enum" in new and "enum" not in old):
        yield f"{where}: values {lost or 'other than ' + str(new['enum'])} are no longer allowed"
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name, field in old_fields.items():
        if name not in new_fields:
            yield f"{path}/{name}: was removed or renamed"
        else:
            yield from _compare(field, new_fields[name], old_root, new_root, f"{path}/{name}")
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield f"{path}/{name}: is required now"
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _compare(old[part], new[part], old_root, new_root, f"{path}/*")


def _limits(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for limit in _UPPER_LIMITS:
        if limit in new and (limit not in old or new[limit] < old[limit]):
            yield f"{where}: {limit} is now {new[limit]}, was {old.get(limit, 'none')}"
    for limit in _LOWER_LIMITS:
        if limit in new and (limit not in old or new[limit] > old[limit]):
            yield f"{where}: {limit} is now {new[limit]}, was {old.get(limit, 'none')}"
    for rule in _SAME:
        if old.get(rule) != new.get(rule):
            yield f"{where}: {rule} is now {new.get(rule, 'none')}, was {old.get(rule, 'none')}"
