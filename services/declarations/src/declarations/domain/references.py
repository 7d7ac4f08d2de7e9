"""What a partner event names, the strongest reference first."""

from dataclasses import dataclass

from values.references import ContainerNumber, DeclarationNumber, TransportDocument, Ucr


@dataclass(frozen=True, slots=True)
class References:
    """What a partner event names; absent ones are None."""

    ucr: Ucr | None = None
    declaration_number: DeclarationNumber | None = None
    transport_document: TransportDocument | None = None
    container: ContainerNumber | None = None

    @property
    def decisive(self) -> tuple[str, str] | None:
        """Name and value of the strongest reference; None where nothing can be matched."""
        for name in ("ucr", "declaration_number", "transport_document"):
            value = getattr(self, name)
            if value:
                return name, value
        return None
