"""What a receipt is rebuilt from."""

from pydantic import Field

from contracts.values import Payload


class ReceiptWarning(Payload):
    """Something odd that was taken all the same."""

    code: str = Field(description="Stable code, key of its text under `gateway.`; set by the gateway")
    pointer: str = Field(description="JSON pointer into the submission; set by the gateway")
    value: str = Field(default="", description="What stands there; set by the submitter")
    expected: str = Field(default="", description="What would have been right, where one value is; set by the gateway")


class ReceiptFacts(Payload):
    """How a submission came to the gateway: what its receipt is rebuilt from. Of no meaning to other services."""

    id: str = Field(description="The receipt's id; set by the gateway")
    submitter: str = Field(description="Whose key or topic it was: partner:<code> or firm:<SCHEME>:<VALUE>")
    source: str = Field(description="CloudEvents source, or what stands for it; set by the submitter")
    submission_id: str = Field(description="The submitter's own id within the source; set by the submitter")
    content_hash: str = Field(description="Of the canonical data, trace headers left out; set by the gateway")
    media_type: str = Field(description="Of the original bytes; set by the submitter")
    original: str = Field(default="", description="SHA-256 of the original bytes, under which they are kept")
    not_read: tuple[str, ...] = Field(default=(), description="Parts of the original that are not carried")
    warnings: tuple[ReceiptWarning, ...] = Field(default=(), description="What is odd about it; set by the gateway")
