"""Which declarations a partner event concerns.

The strongest reference that the event gives decides: payment reference, UCR, declaration number,
transport document with container, transport document. A weaker one is not tried where a stronger one finds nothing: a
consolidated bill names many shipments, and the declaration of the stronger one may still come.

What happens to a shipment concerns every declaration of its UCR. What is decided for one declaration
(control, holds) concerns that one alone where its number is given. Money concerns the one declaration
that it names by payment reference or number, and none where it names neither: what was paid once must
not count twice.
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
    """Whether all that a payment names is this declaration's: contradicting references pay for nothing."""
    named = (
        (references.payment_reference, _payment_reference(state)),
        (references.declaration_number, state.number),
        (references.ucr, state.declaration.ucr),
    )
    return any(said for said, _ in named[:2]) and all(said == own for said, own in named if said)


def _payment_reference(state: State) -> str | None:
    return state.assessment.payment_reference if state.assessment else None


def _container_fits(container: str | None, state: State) -> bool:
    """A container rules a declaration out only where that names its own."""
    named = state.declaration.transport.containers
    return not container or not named or container in named
