"""Which declarations a partner event concerns.

The strongest reference that the event gives decides: UCR, declaration number, transport document
with container, transport document. A weaker one is not tried where a stronger one finds nothing: a
consolidated bill names many shipments, and the declaration of the stronger one may still come.
"""

from dataclasses import dataclass

from declarations.domain.state import State


@dataclass(frozen=True, slots=True)
class References:
    ucr: str | None = None
    declaration_number: str | None = None
    transport_document: str | None = None
    container: str | None = None

    @property
    def decisive(self) -> tuple[str, str] | None:
        """Name and value of the strongest reference; None where nothing can be matched."""
        for name in ("ucr", "declaration_number", "transport_document"):
            value = getattr(self, name)
            if value:
                return name, value
        return None


def concerns(references: References, state: State) -> bool:
    """Whether an event with these references is about a declaration."""
    declaration = state.declaration
    match references.decisive:
        case ("ucr", value):
            return declaration.ucr == value
        case ("declaration_number", value):
            return state.number == value
        case ("transport_document", value):
            containers = declaration.transport.containers
            fits = not references.container or not containers or references.container in containers
            return declaration.transport.document == value and fits
        case _:
            return False
