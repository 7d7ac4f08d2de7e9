"""What the registry's answers mean for a declaration.

Who acts before this customs must be known and active in the role; who stands on the other side of
the border need not be registered here, but nobody who is suspended takes part.
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
    """What is wrong with the parties; `standings` by index. None where all may act."""
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
