"""Submissions of firms, as the gateway publishes them on `gateway.events.v1`.

A submission is authenticated and readable, not yet judged: whether a declaration is right is
decided by declarations, whether a project fits is decided by matching.
"""

from enum import StrEnum

from pydantic import Field

from contracts.grants import Grants, PartnerRole
from contracts.values import (
    DecimalString,
    Direction,
    Identifier,
    Location,
    Money,
    Party,
    Payload,
    Quantity,
    Timestamp,
    WholeNumber,
    personal,
)
from values.references import CommodityCode, ContainerNumber, Lrn, TransportDocument, Ucr


class DeclarationFunction(StrEnum):
    ORIGINAL = "original"
    CORRECTION = "correction"


class Document(Payload):
    type: str = Field(max_length=20, description="Document type code; set by the declarant")
    number: str | None = Field(default=None, max_length=80, description="Document number; set by the declarant")
    issuer: str | None = personal(default=None, max_length=120, description="Who issued it; set by the declarant")
    valid_until: Timestamp | None = Field(default=None, description="Last moment of validity; set by the declarant")


class Preference(Payload):
    code: str = Field(max_length=20, description="Preference or trade agreement code; set by the declarant")
    certificate: str | None = Field(default=None, description="Number of the certificate of origin among the documents")


class ChargeCode(StrEnum):
    """Additions to a price (A) and deductions from it (B): data element 4/9 of the Union Customs Code's annexes."""

    AB = "AB"
    AD = "AD"
    AE = "AE"
    AF = "AF"
    AG = "AG"
    AH = "AH"
    AI = "AI"
    AJ = "AJ"
    AK = "AK"
    AL = "AL"
    AN = "AN"
    AR = "AR"
    BA = "BA"
    BB = "BB"
    BC = "BC"
    BD = "BD"
    BE = "BE"
    BF = "BF"
    BG = "BG"
    BT = "BT"


class Charge(Payload):
    code: ChargeCode = Field(description="A code in A is added to the price, one in B taken off; set by the declarant")
    amount: Money = Field(description="Without a sign, and not in the price if it is added; set by the declarant")


class GoodsItem(Payload):
    number: WholeNumber = Field(ge=1, le=9999, description="Sequence number from 1; set by the declarant")
    commodity_code: CommodityCode = Field(description="HS code of 6 digits with national digits behind, no separators")
    description: str | None = Field(default=None, max_length=1000, description="Goods in plain words")
    origin: str | None = Field(default=None, description="ISO 3166 country of origin")
    preference: Preference | None = Field(default=None, description="Preferential treatment claimed")
    quantity: Quantity | None = Field(default=None, description="Statistical quantity")
    gross_mass_kg: DecimalString | None = Field(default=None, description="Gross mass in kilograms")
    net_mass_kg: DecimalString | None = Field(default=None, description="Net mass in kilograms")
    packages: WholeNumber | None = Field(default=None, description="Number of packages")
    package_kind: str | None = Field(default=None, description="UN/ECE Recommendation 21 code")
    price: Money | None = Field(default=None, description="Invoice price of the item")
    customs_value: Money | None = Field(
        default=None, description="Customs value; counts where the valuation method is not 1; set by the declarant"
    )
    statistical_value: Money | None = Field(
        default=None, description="Value at the border; counts as the customs value does; set by the declarant"
    )
    valuation_method: str | None = Field(default=None, description="WTO valuation method, 1 to 6")
    charges: tuple[Charge, ...] = Field(
        default=(), description="Additions to the item's price and deductions from it; set by the declarant"
    )
    documents: tuple[Document, ...] = Field(default=(), description="Documents that belong to this item")


class Transport(Payload):
    mode: str | None = Field(default=None, description="UN/ECE Recommendation 19 mode, 1 to 9")
    means: str | None = personal(default=None, description="Ship IMO number, wagon, plate or flight")
    document: TransportDocument | None = Field(
        default=None, description="Bill of lading, consignment note, air waybill"
    )
    departed_at: Timestamp | None = Field(default=None, description="Departure, planned or actual")
    arrives_at: Timestamp | None = Field(default=None, description="Arrival, planned or actual")
    location: Location | None = Field(default=None, description="Where the goods are or will be presented")
    containers: tuple[ContainerNumber, ...] = Field(default=(), description="ISO 6346 container numbers")


class Declaration(Payload):
    """A customs declaration as lodged: facts the declarant states, nothing derived."""

    lrn: Lrn = Field(
        min_length=1, max_length=35, description="Local reference, unique per declarant; set by the declarant"
    )
    ucr: Ucr = Field(
        min_length=1, max_length=35, description="Unique consignment reference; by the gateway where absent"
    )
    direction: Direction = Field(description="Import or export; set by the declarant")
    procedure: str | None = Field(default=None, max_length=10, description="Customs procedure code")
    customs_office: str | None = Field(default=None, max_length=20, description="Office that handles the declaration")
    dispatch_country: str | None = Field(default=None, description="ISO 3166 country the goods come from")
    destination_country: str | None = Field(default=None, description="ISO 3166 country the goods go to")
    incoterm: str | None = Field(
        default=None, description="Incoterms rule, or term of China's form; set by the declarant"
    )
    incoterm_place: str | None = Field(default=None, max_length=80, description="Place named with the rule")
    currency: str | None = Field(default=None, description="ISO 4217 currency of the invoice")
    total_price: Money | None = Field(default=None, description="Invoice total")
    freight: Money | None = Field(default=None, description="Transport cost to the border, where the price excludes it")
    insurance: Money | None = Field(default=None, description="Insurance to the border, where the price excludes it")
    charges: tuple[Charge, ...] = Field(
        default=(), description="Additions and deductions of all goods items together; set by the declarant"
    )
    total_gross_mass_kg: DecimalString | None = Field(default=None, description="Gross mass of all items")
    total_packages: WholeNumber | None = Field(default=None, description="Packages of all items")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number; set by the declarant")
    transport: Transport = Field(default=Transport(), description="How the goods travel")
    goods: tuple[GoodsItem, ...] = Field(description="Goods items; set by the declarant")
    documents: tuple[Document, ...] = Field(default=(), description="Documents of the whole declaration")


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


class DeclarationSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt, where the original bytes are kept; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    firm: Identifier = Field(description="The firm whose key lodged it; set by the gateway")
    function: DeclarationFunction = Field(description="Original, or correction of a rejected one; set by the declarant")
    declaration: Declaration = Field(description="What was declared; set by the declarant")
    receipt: ReceiptFacts | None = Field(default=None, description="How it came here; set by the gateway")


class Instrument(StrEnum):
    EQUITY = "equity"
    DEBT = "debt"
    JOINT_VENTURE = "joint_venture"
    PPP = "ppp"
    TECHNOLOGY = "technology"


class Project(Payload):
    """An investment project that seeks capital."""

    reference: str = Field(min_length=1, max_length=60, description="The sponsor's own reference; set by the sponsor")
    title: str = Field(max_length=200, description="Set by the sponsor")
    country: str = Field(description="ISO 3166 country of the project")
    region: str | None = Field(default=None, description="Region or zone")
    sector: str = Field(description="ISIC Rev.4 code, such as C or 2910")
    stage: str = Field(description="idea, feasibility, construction or operating")
    sought: Money = Field(description="Capital sought")
    instruments: tuple[Instrument, ...] = Field(description="What the sponsor accepts")
    stake_percent: DecimalString | None = Field(default=None, description="Stake offered, percent")
    expected_return_percent: DecimalString | None = Field(default=None, description="Expected yearly return, percent")
    languages: tuple[str, ...] = Field(default=(), description="Working languages, ISO 639-1")
    expires_at: Timestamp | None = Field(default=None, description="When the offer ends")


class Mandate(Payload):
    """An investor's mandate: what capital is offered and where it may go."""

    reference: str = Field(min_length=1, max_length=60, description="The investor's own reference; set by the investor")
    title: str = Field(max_length=200, description="Set by the investor")
    ticket_min: Money = Field(description="Smallest investment")
    ticket_max: Money = Field(description="Largest investment")
    sectors: tuple[str, ...] = Field(description="ISIC Rev.4 codes of any level")
    countries: tuple[str, ...] = Field(description="ISO 3166 countries the capital may go to; empty means any")
    excluded_sectors: tuple[str, ...] = Field(default=(), description="ISIC Rev.4 codes that are out of question")
    excluded_countries: tuple[str, ...] = Field(default=(), description="ISO 3166 countries that are out of question")
    instruments: tuple[Instrument, ...] = Field(description="What the investor uses")
    stake_min_percent: DecimalString | None = Field(default=None, description="Smallest stake, percent")
    stake_max_percent: DecimalString | None = Field(default=None, description="Largest stake, percent")
    return_floor_percent: DecimalString | None = Field(default=None, description="Lowest yearly return, percent")
    stages: tuple[str, ...] = Field(default=(), description="Stages the investor enters; empty means any")
    languages: tuple[str, ...] = Field(default=(), description="Working languages, ISO 639-1")
    expires_at: Timestamp | None = Field(default=None, description="When the offer ends")


class ProjectSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    firm: Identifier = Field(description="The sponsor, by the key that submitted it; set by the gateway")
    project: Project = Field(description="What is sought; set by the sponsor")
    receipt: ReceiptFacts | None = Field(default=None, description="How it came here; set by the gateway")


class MandateSubmitted(Payload):
    receipt_id: str = Field(description="The gateway's receipt; set by the gateway")
    received_at: Timestamp = Field(description="When the gateway had it; set by the gateway")
    firm: Identifier = Field(description="The investor, by the key that submitted it; set by the gateway")
    mandate: Mandate = Field(description="What is offered; set by the investor")
    receipt: ReceiptFacts | None = Field(default=None, description="How it came here; set by the gateway")


class PartnerFact(Payload):
    """What every event about a partner says."""

    partner: str = Field(description="The partner's code; set by staff")
    at: Timestamp = Field(description="When; set by the gateway")
    by: str = Field(description="Who: staff:<name>; set by the gateway")


class PartnerRegistered(PartnerFact):
    """A partner has its code and its one role, both for ever."""

    role: PartnerRole = Field(description="What it is; set by staff")


class PartnerGranted(PartnerFact):
    """A partner may report on more than before."""

    grants: Grants = Field(description="What was added; set by staff")
    reason: str = Field(default="", description="Why; set by staff")


class PartnerRevoked(PartnerFact):
    """A partner may no longer report on some things. What it reported before stays as it was decided."""

    grants: Grants = Field(description="What was taken away; set by staff")
    reason: str = Field(description="Why; set by staff")


SUBMISSIONS: dict[str, type[Payload]] = {
    "trade.gateway.declaration.submitted.v1": DeclarationSubmitted,
    "trade.gateway.project.submitted.v1": ProjectSubmitted,
    "trade.gateway.mandate.submitted.v1": MandateSubmitted,
}
"""Type of what a firm submitted → payload."""

PARTNER_FACTS: dict[str, type[PartnerFact]] = {
    "trade.gateway.partner.registered.v1": PartnerRegistered,
    "trade.gateway.partner.granted.v1": PartnerGranted,
    "trade.gateway.partner.revoked.v1": PartnerRevoked,
}
"""Type of what happened to a partner → payload."""

EVENTS: dict[str, type[Payload]] = {**SUBMISSIONS, **PARTNER_FACTS}
"""Event type on the wire → payload."""
