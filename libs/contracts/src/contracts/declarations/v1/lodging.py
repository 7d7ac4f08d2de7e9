"""Lodging: versions are submitted and checked, until the declaration is accepted."""

from pydantic import Field

from contracts.declarations.v1.fact import DeclarationFact
from contracts.gateway.v1 import Declaration, DeclarationFunction
from contracts.values import Identifier, Payload, Timestamp


class FieldError(Payload):
    """One rule that a declaration breaks. Its text is in the catalogue under `code`."""

    code: str = Field(description="Stable code of the rule, key of its text; set by declarations")
    pointer: str = Field(description="JSON pointer into the declaration; set by declarations")
    value: str | None = Field(default=None, description="The value found there; set by the declarant")
    parameters: dict[str, str] = Field(default_factory=dict, description="Parameters of the text; set by declarations")


class Submitted(DeclarationFact):
    """A version was lodged; its rules and parties are not checked yet."""

    version: int = Field(description="1, increased with every corrected version; set by declarations")
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway received it; set by the gateway")
    firm: Identifier = Field(description="The firm whose key lodged it; set by the gateway")
    function: DeclarationFunction = Field(description="Original or correction; set by the declarant")
    submitted_at: Timestamp = Field(description="When declarations recorded it; set by declarations")
    declaration: Declaration = Field(description="The whole declaration; set by the declarant")
    warnings: tuple[FieldError, ...] = Field(
        default=(), description="Warnings, which do not cause a rejection; set by declarations"
    )


class SubmissionRefused(DeclarationFact):
    """A submission reused the reference of an active declaration, which is not affected."""

    receipt_id: str = Field(description="Receipt of the refused submission; set by the gateway")
    errors: tuple[FieldError, ...] = Field(description="The reasons; set by declarations")


class Rejected(DeclarationFact):
    """The version breaks rules, or a party may not act. A corrected version may be lodged."""

    version: int = Field(description="The version rejected; set by declarations")
    receipt_id: str = Field(description="Receipt of the version rejected; set by the gateway")
    rejected_at: Timestamp = Field(description="Set by declarations")
    errors: tuple[FieldError, ...] = Field(description="Every rule that is broken; set by declarations")


class Prelodged(DeclarationFact):
    """The version is valid; the goods are not presented yet."""

    prelodged_at: Timestamp = Field(description="Set by declarations")
    serial: str = Field(description="The nine digits reserved for the declaration number; set by declarations")


class Accepted(DeclarationFact):
    """The declaration was accepted and got its number; the legal date determines tariff and exchange rates."""

    number: str = Field(description="The declaration number, 18 digits; set by declarations")
    accepted_at: Timestamp = Field(description="The legal date: when both the declaration and the goods were there")


EVENTS: dict[str, type[DeclarationFact]] = {
    "trade.declarations.declaration.submitted.v1": Submitted,
    "trade.declarations.declaration.submission_refused.v1": SubmissionRefused,
    "trade.declarations.declaration.rejected.v1": Rejected,
    "trade.declarations.declaration.prelodged.v1": Prelodged,
    "trade.declarations.declaration.accepted.v1": Accepted,
}
"""Event type on the wire → payload."""
