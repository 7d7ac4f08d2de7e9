"""The references of a partner event, the strongest first."""

from dataclasses import dataclass

from values.payments import PaymentReference
from values.references import ContainerNumber, DeclarationNumber, TransportDocument, Ucr

DECISIVE = ("payment_reference", "ucr", "declaration_number", "transport_document")
"""References by which events are matched, the strongest first."""


@dataclass(frozen=True, slots=True)
class References:
    """The references of a partner event; None if absent."""

    ucr: Ucr | None = None
    declaration_number: DeclarationNumber | None = None
    transport_document: TransportDocument | None = None
    container: ContainerNumber | None = None
    payment_reference: PaymentReference | None = None

    @property
    def decisive(self) -> tuple[str, str] | None:
        """Name and value of the strongest reference; None if there is none to match by."""
        for name in DECISIVE:
            value = getattr(self, name)
            if value:
                return name, value
        return None


def names_ucr_alone(references: References) -> bool:
    """Whether a payment names a shipment and none of its declarations."""
    return bool(references.ucr) and not (references.payment_reference or references.declaration_number)
