"""The data that a declarant states: header, parties, transport, goods items, documents. Nothing derived.

Only what the law requires is mandatory; declarations converted from a foreign data model have national
codes and lack many fields, so almost every field may be absent.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from declarations.domain.charges import ChargeCode
from values.identifiers import Identifier
from values.places import Locode
from values.references import CommodityCode, ContainerNumber, Lrn, TransportDocument, Ucr

__all__ = [
    "Declaration",
    "Direction",
    "Document",
    "Function",
    "GoodsItem",
    "Identifier",
    "Location",
    "Money",
    "Party",
    "Preference",
    "Quantity",
    "Role",
    "Transport",
]


class Direction(StrEnum):
    IMPORT = "import"
    EXPORT = "export"


class Function(StrEnum):
    ORIGINAL = "original"
    CORRECTION = "correction"


class Role(StrEnum):
    DECLARANT = "declarant"
    IMPORTER = "importer"
    EXPORTER = "exporter"
    CONSIGNOR = "consignor"
    CONSIGNEE = "consignee"
    AGENT = "agent"
    CARRIER = "carrier"
    PAYER = "payer"


@dataclass(frozen=True, slots=True)
class Party:
    role: Role
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str
    """ISO 4217."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An addition to a price or a deduction from it, by code."""

    code: ChargeCode
    amount: Money


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Decimal
    unit: str
    """UN/ECE Recommendation 20."""


@dataclass(frozen=True, slots=True)
class Location:
    unlocode: Locode | None = None
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    type: str
    number: str | None = None
    issuer: str | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    code: str
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class GoodsItem:
    number: int
    commodity_code: CommodityCode
    """Six HS digits followed by national digits; empty if a simplified procedure needs none."""
    description: str | None = None
    origin: str | None = None
    preference: Preference | None = None
    quantity: Quantity | None = None
    gross_mass_kg: Decimal | None = None
    net_mass_kg: Decimal | None = None
    packages: int | None = None
    package_kind: str | None = None
    price: Money | None = None
    customs_value: Money | None = None
    statistical_value: Money | None = None
    valuation_method: str | None = None
    charges: tuple[Charge, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Transport:
    mode: str | None = None
    means: str | None = None
    document: TransportDocument | None = None
    departed_at: datetime | None = None
    arrives_at: datetime | None = None
    location: Location | None = None
    containers: tuple[ContainerNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    lrn: Lrn
    ucr: Ucr
    direction: Direction
    parties: tuple[Party, ...]
    goods: tuple[GoodsItem, ...]
    procedure: str | None = None
    customs_office: str | None = None
    dispatch_country: str | None = None
    destination_country: str | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    currency: str | None = None
    total_price: Money | None = None
    freight: Money | None = None
    insurance: Money | None = None
    charges: tuple[Charge, ...] = ()
    total_gross_mass_kg: Decimal | None = None
    total_packages: int | None = None
    transport: Transport = Transport()
    documents: tuple[Document, ...] = ()

    def party(self, role: Role) -> Identifier | None:
        """The number of the first party with a role."""
        return next((party.identifier for party in self.parties if party.role is role), None)
