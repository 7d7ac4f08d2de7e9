"""Judges the registry's answers about a declaration's parties.

Parties that act before this customs must be registered and active in their role. Parties abroad need not
be registered here, but no party may be suspended.
"""

from collections.abc import Mapping

from declarations.domain.commands import Standing
from declarations.domain.declaration import Declaration, Direction, Role
from declarations.domain.state import RuleError

_ACTING = {
    Direction.IMPORT: frozenset({Role.DECLARANT, Role.AGENT, Role.IMPORTER}),
    Direction.EXPORT: frozenset({Role.DECLARANT, Role.AGENT, Role.EXPORTER}),
}

_CODES = {
    Standing.UNKNOWN: "declaration.party.unknown",
    Standing.SUSPENDED: "declaration.party.suspended",
    Standing.ROLE_MISSING: "declaration.party.role_missing",
}


def judge(declaration: Declaration, standings: Mapping[int, Standing]) -> tuple[RuleError, ...]:
    """Errors of the parties; `standings` by index. Empty if all may act."""
    acting = _ACTING[declaration.direction]
    return tuple(
        RuleError(
            _CODES[standing],
            f"/parties/{index}/identifier",
            str(declaration.parties[index].identifier),
            {"role": declaration.parties[index].role.value},
        )
        for index, standing in sorted(standings.items())
        if standing is Standing.SUSPENDED
        or (standing is not Standing.MAY_ACT and declaration.parties[index].role in acting)
    )
