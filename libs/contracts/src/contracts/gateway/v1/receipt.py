"""What a receipt is rebuilt from."""

from pydantic import Field

from contracts.values import Payload


class ReceiptWarning(Payload):
    """A warning about an accepted submission."""

    code: str = Field(description="Stable code, key of its text under `gateway.`; set by the gateway")
    pointer: str = Field(description="JSON pointer into the submission; set by the gateway")
    value: str = Field(default="", description="The value found there; set by the submitter")
    expected: str = Field(default="", description="The expected value, if there is a single one; set by the gateway")


class ReceiptFacts(Payload):
    """How a submission reached the gateway, from which its receipt is rebuilt. Not for other services."""

    id: str = Field(description="The receipt's id; set by the gateway")
    submitter: str = Field(description="Owner of the key or topic: partner:<code> or firm:<SCHEME>:<VALUE>")
    source: str = Field(description="CloudEvents source, or its equivalent; set by the submitter")
    submission_id: str = Field(description="The submitter's own id within the source; set by the submitter")
    content_hash: str = Field(description="Hash of the canonical data without trace headers; set by the gateway")
    media_type: str = Field(description="Media type of the original bytes; set by the submitter")
    original: str = Field(default="", description="SHA-256 of the original bytes, the key under which they are stored")
    not_read: tuple[str, ...] = Field(default=(), description="Parts of the original that were not read")
    warnings: tuple[ReceiptWarning, ...] = Field(default=(), description="Warnings about it; set by the gateway")
