"""Which declarations a partner event concerns.

The strongest reference that the event gives decides: UCR, declaration number, transport document
with container, transport document. A weaker one is not tried where a stronger one finds nothing: a
consolidated bill names many shipments, and the declaration of the stronger one may still come.

What happens to a shipment concerns every declaration of its UCR. What is decided or paid for one
declaration (control, holds, payments) concerns that one alone where its number is given.
"""

from declarations.domain.claims import Kind
from declarations.domain.references import References
from declarations.domain.state import State

_OF_THE_SHIPMENT = frozenset(kind for kind in Kind if kind.partition(".")[0] in ("shipment", "exit"))


def concerns(kind: Kind, references: References, state: State) -> bool:
    """Whether an event is about a declaration."""
    number = references.declaration_number
    if kind not in _OF_THE_SHIPMENT and number and number != state.number:
        return False
    match references.decisive:
        case ("ucr", value):
            return state.declaration.ucr == value
        case ("declaration_number", value):
            return state.number == value
        case ("transport_document", value):
            return state.declaration.transport.document == value and _container_fits(references.container, state)
        case _:
            return False


def _container_fits(container: str | None, state: State) -> bool:
    """A container rules a declaration out only where that names its own."""
    named = state.declaration.transport.containers
    return not container or not named or container in named
