"""Which declarations a partner event concerns.

The strongest reference of the event decides: payment reference, UCR, declaration number, transport
document with container, transport document. If it finds nothing, weaker ones are not tried: a
consolidated bill names many shipments, and the declaration of the stronger reference may still come.

An event of the shipment concerns every declaration of its UCR. A decision about one declaration
(control, holds) concerns only that one if its number is given. A payment concerns the one declaration
that it names by payment reference or number, and none if it names neither: a payment must not count
twice.
"""

from declarations.domain.claims import Kind
from declarations.domain.references import References
from declarations.domain.state import State

OF_MONEY = frozenset(kind for kind in Kind if kind.partition(".")[0] == "payment")
_OF_THE_SHIPMENT = frozenset(kind for kind in Kind if kind.partition(".")[0] in ("shipment", "exit"))


def concerns(kind: Kind, references: References, state: State) -> bool:
    """Whether an event is about a declaration."""
    if kind in OF_MONEY:
        return _pays_for(references, state)
    number = references.declaration_number
    if kind not in _OF_THE_SHIPMENT and number and number != state.number:
        return False
    match references.decisive:
        case ("payment_reference", value):
            return _payment_reference(state) == value
        case ("ucr", value):
            return state.declaration.ucr == value
        case ("declaration_number", value):
            return state.number == value
        case ("transport_document", value):
            return state.declaration.transport.document == value and _container_fits(references.container, state)
        case _:
            return False


def _pays_for(references: References, state: State) -> bool:
    """Whether all references of a payment are this declaration's; with contradicting ones it pays for nothing."""
    named = (
        (references.payment_reference, _payment_reference(state)),
        (references.declaration_number, state.number),
        (references.ucr, state.declaration.ucr),
    )
    return any(said for said, _ in named[:2]) and all(said == own for said, own in named if said)


def _payment_reference(state: State) -> str | None:
    return state.assessment.payment_reference if state.assessment else None


def _container_fits(container: str | None, state: State) -> bool:
    """A container excludes a declaration only if that names other containers."""
    named = state.declaration.transport.containers
    return not container or not named or container in named
