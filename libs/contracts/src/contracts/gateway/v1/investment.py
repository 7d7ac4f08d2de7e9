"""Projects that seek capital, and mandates of investors."""

from enum import StrEnum

from pydantic import Field

from contracts.values import DecimalString, Money, Payload, Timestamp


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
    """An investor's mandate: the capital offered, and where it may be invested."""

    reference: str = Field(min_length=1, max_length=60, description="The investor's own reference; set by the investor")
    title: str = Field(max_length=200, description="Set by the investor")
    ticket_min: Money = Field(description="Smallest investment")
    ticket_max: Money = Field(description="Largest investment")
    sectors: tuple[str, ...] = Field(description="ISIC Rev.4 codes of any level")
    countries: tuple[str, ...] = Field(description="ISO 3166 countries the capital may go to; empty means any")
    excluded_sectors: tuple[str, ...] = Field(default=(), description="ISIC Rev.4 codes that are excluded")
    excluded_countries: tuple[str, ...] = Field(default=(), description="ISO 3166 countries that are excluded")
    instruments: tuple[Instrument, ...] = Field(description="What the investor uses")
    stake_min_percent: DecimalString | None = Field(default=None, description="Smallest stake, percent")
    stake_max_percent: DecimalString | None = Field(default=None, description="Largest stake, percent")
    return_floor_percent: DecimalString | None = Field(default=None, description="Lowest yearly return, percent")
    stages: tuple[str, ...] = Field(default=(), description="Stages the investor enters; empty means any")
    languages: tuple[str, ...] = Field(default=(), description="Working languages, ISO 639-1")
    expires_at: Timestamp | None = Field(default=None, description="When the offer ends")
