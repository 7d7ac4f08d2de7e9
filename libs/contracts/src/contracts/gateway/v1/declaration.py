"""A customs declaration as a firm lodges it."""

from enum import StrEnum

from pydantic import Field

from contracts.values import (
    DecimalString,
    Direction,
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
    code: ChargeCode = Field(description="Codes in A are added to the price, codes in B deducted; set by the declarant")
    amount: Money = Field(description="Unsigned; an addition is not included in the price; set by the declarant")


class GoodsItem(Payload):
    number: WholeNumber = Field(ge=1, le=9999, description="Sequence number from 1; set by the declarant")
    commodity_code: CommodityCode = Field(description="HS code of 6 digits followed by national digits, no separators")
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
        min_length=1, max_length=35, description="Unique consignment reference; set by the gateway if absent"
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
    freight: Money | None = Field(default=None, description="Transport cost to the border, if not in the price")
    insurance: Money | None = Field(default=None, description="Insurance to the border, if not in the price")
    charges: tuple[Charge, ...] = Field(
        default=(), description="Additions and deductions of all goods items together; set by the declarant"
    )
    total_gross_mass_kg: DecimalString | None = Field(default=None, description="Gross mass of all items")
    total_packages: WholeNumber | None = Field(default=None, description="Packages of all items")
    parties: tuple[Party, ...] = Field(description="Who takes part, by number; set by the declarant")
    transport: Transport = Field(default=Transport(), description="How the goods travel")
    goods: tuple[GoodsItem, ...] = Field(description="Goods items; set by the declarant")
    documents: tuple[Document, ...] = Field(default=(), description="Documents of the whole declaration")
