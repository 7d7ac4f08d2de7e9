"""The life of a declaration, as declarations publishes it on `declarations.events.v1`. Key: the UCR.

Every fact repeats what a reader needs to act on it alone: ids, direction and parties.
"""

from pydantic import Field

from contracts.values import Direction, Party, Payload


class DeclarationFact(Payload):
    """What every event of a declaration says."""

    declaration_id: str = Field(description="The platform's id of the declaration; set by declarations")
    lrn: str = Field(description="The declarant's local reference; set by the declarant")
    ucr: str = Field(description="Unique consignment reference of the shipment")
    direction: Direction = Field(description="Import or export")
    declaration_number: str | None = Field(default=None, description="Number issued at acceptance; set by declarations")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number")
