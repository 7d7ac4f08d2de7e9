"""Values shared by payloads of several owners: money, parties, places, quantities.

Money is a decimal string with its currency, a quantity carries its unit, a time is RFC 3339
with an offset. A payload ignores fields it does not know, so that a newer writer never
breaks an older reader.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from values import identifiers
from values.faults import NotOfItsForm
from values.moments import NO_OFFSET, read_moment
from values.numbers import read_decimal, read_whole
from values.payments import PaymentReference
from values.places import Locode
from values.references import ContainerNumber, DeclarationNumber, TransportDocument, Ucr

MAX_DIGITS = 38
"""Digits of a decimal, written out, before and after the point: the precision of MongoDB's and SQL's decimals."""


class Payload(BaseModel):
    """The base of all payloads: immutable, ignores unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


def _bounded(number: Decimal) -> Decimal:
    """Refuse numbers that are long when written out: 1E+999999999 is short to send and would fill memory."""
    _, digits, exponent = number.as_tuple()
    # Infinity and NaN were refused by the type before this.
    if isinstance(exponent, int) and max(len(digits) + exponent, 0) + max(-exponent, 0) > MAX_DIGITS:
        raise PydanticCustomError("number_too_long", "At most {limit} digits, written out", {"limit": MAX_DIGITS})
    return number


def _decimal(given: Any) -> Any:
    """Accept a JSON integer, or a text by the strict grammar; refuse booleans and floats."""
    if isinstance(given, str):
        try:
            return read_decimal(given)
        except NotOfItsForm:
            pass
    elif isinstance(given, int | Decimal) and not isinstance(given, bool):
        return given
    raise PydanticCustomError("decimal_form", "A decimal number in ASCII digits, such as 1234.50")


def _whole(given: Any) -> Any:
    """Accept a whole number, or a text by the strict grammar; refuse booleans."""
    if isinstance(given, str):
        try:
            return read_whole(given)
        except NotOfItsForm:
            pass
    elif isinstance(given, int | Decimal) and not isinstance(given, bool):
        return given
    raise PydanticCustomError("int_form", "A whole number in ASCII digits")


def _moment(given: Any) -> Any:
    """Accept a datetime, or a text by RFC 3339; refuse numbers."""
    if isinstance(given, datetime):
        return given
    if isinstance(given, str):
        try:
            return read_moment(given)
        except NotOfItsForm as error:
            if error.code == NO_OFFSET:
                raise PydanticCustomError("timezone_aware", "A time with its offset") from None
    raise PydanticCustomError("datetime_form", "A time by RFC 3339, such as 2026-11-24T16:00:00+08:00")


DecimalString = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    AfterValidator(_bounded),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}),
]
"""A decimal number, as a JSON string and never as a float."""

Timestamp = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A moment with an offset, RFC 3339."""

WholeNumber = Annotated[int, BeforeValidator(_whole)]
"""A whole number, also from formats that write it as text."""


def personal(**extra: Any) -> Any:
    """A `Field` that holds personal data: masked in logs and pages, erasable, never in a key."""
    return Field(json_schema_extra={"x-personal-data": True}, **extra)


class Classifier(StrEnum):
    """How certain the publisher is. Only ACT moves a life cycle."""

    PLANNED = "PLN"
    ESTIMATED = "EST"
    ACTUAL = "ACT"


class Direction(StrEnum):
    IMPORT = "import"
    EXPORT = "export"


class PartyRole(StrEnum):
    DECLARANT = "declarant"
    IMPORTER = "importer"
    EXPORTER = "exporter"
    CONSIGNOR = "consignor"
    CONSIGNEE = "consignee"
    AGENT = "agent"
    CARRIER = "carrier"
    PAYER = "payer"


class Identifier(Payload):
    """An enterprise's number in one national or international scheme."""

    scheme: str = Field(description="Scheme code, such as CN-USCC, RU-INN, KZ-BIN, LEI, GB-EORI; set by the submitter")
    value: str = Field(description="The number without spaces, upper case; set by the submitter")

    @model_validator(mode="before")
    @classmethod
    def _in_normal_form(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        scheme, value = given.get("scheme"), given.get("value")
        if not isinstance(scheme, str) or not isinstance(value, str):
            return given
        number = identifiers.Identifier(scheme, value)
        return {**given, "scheme": number.scheme, "value": number.value}

    @property
    def number(self) -> identifiers.Identifier:
        """The number as a value type."""
        return identifiers.Identifier(self.scheme, self.value)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


class Party(Payload):
    """A party of a shipment, by number only: events hold no names or addresses."""

    role: PartyRole = Field(description="The party's role in this shipment; set by the declarant")
    identifier: Identifier = Field(description="The party's number; set by the declarant")


class Money(Payload):
    amount: DecimalString = Field(description="Decimal string in major units")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code")


class Quantity(Payload):
    value: DecimalString = Field(description="Decimal string, in `unit`")
    unit: str = Field(description="UN/ECE Recommendation 20 code, such as KGM or NAR")


class Location(Payload):
    unlocode: Locode | None = Field(default=None, description="UN/LOCODE, such as CNTAO; set by the publisher")
    facility: str | None = Field(default=None, description="Terminal, gate or warehouse; set by the publisher")


class References(Payload):
    """References to the subject of an event, matched in this order: payment reference, UCR, declaration number,
    transport document with container."""

    ucr: Ucr | None = Field(
        default=None, max_length=35, description="Unique consignment reference; set by the publisher"
    )
    declaration_number: DeclarationNumber | None = Field(
        default=None, description="Number issued at acceptance; set by the publisher"
    )
    transport_document: TransportDocument | None = Field(
        default=None, description="Bill of lading, consignment note, air waybill"
    )
    container: ContainerNumber | None = Field(default=None, description="ISO 6346 container number")
    payment_reference: PaymentReference | None = Field(
        default=None,
        max_length=60,
        description="Payment reference of the assessment, issued by the platform; set by the publisher. "
        "Not the bank's own reference, which has a field of its own",
    )
