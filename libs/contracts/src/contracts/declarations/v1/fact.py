"""The fields that every event of a declaration repeats: its identity, and its status after the event."""

from pydantic import Field

from contracts.declarations.v1.regions import MainStatus, RegionSummary
from contracts.values import Direction, Party, Payload


class DeclarationFact(Payload):
    """The fields of every event of a declaration."""

    declaration_id: str = Field(description="The platform's id of the declaration; set by declarations")
    lrn: str = Field(description="The declarant's local reference; set by the declarant")
    ucr: str = Field(description="Unique consignment reference of the shipment")
    direction: Direction = Field(description="Import or export")
    declaration_number: str | None = Field(default=None, description="Number issued at acceptance; set by declarations")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number")
    main_status: MainStatus | None = Field(
        default=None, description="The status after the event; null in old events; set by declarations"
    )
    regions: RegionSummary | None = Field(
        default=None, description="The regions after the event; null in old events; set by declarations"
    )


class InternalFact(DeclarationFact):
    """A fact that no firm is shown: for the eyes of customs and of the platform, or told by another fact."""
