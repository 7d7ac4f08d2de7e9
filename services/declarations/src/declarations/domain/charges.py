"""Additions to a price and deductions from it, by code.

An addition is a cost that belongs to the customs value but is not in the price; a deduction is one that
is in the price, shown separately, but does not belong to the customs value. Amounts are unsigned: the
code decides whether they are added or deducted. By definition a charge stated by code is outside the
price (or shown separately in it), so it counts under every trade term. Sources: Regulation (EU)
952/2013, articles 71 and 72, with the codes of data element 4/9 of its delegated acts, after article 8
of the WTO Customs Valuation Agreement; AR and BT are the United Kingdom's, from its published samples.
"""

from enum import StrEnum


class ChargeCode(StrEnum):
    """Code of an addition or deduction."""

    COMMISSIONS = "AB"
    PACKING = "AD"
    MATERIALS_SUPPLIED = "AE"
    TOOLS_SUPPLIED = "AF"
    MATERIALS_CONSUMED = "AG"
    DESIGN = "AH"
    ROYALTIES = "AI"
    PROCEEDS = "AJ"
    CARRIAGE_TO_BORDER = "AK"
    """Transport, loading, handling and insurance to the place of introduction."""
    INDIRECT_PAYMENTS = "AL"
    ADDED_BY_DECISION = "AN"
    AIR_TRANSPORT = "AR"
    CARRIAGE_BEHIND_BORDER = "BA"
    WORK_AFTER_IMPORTATION = "BB"
    DUTIES = "BC"
    INTEREST = "BD"
    REPRODUCTION_RIGHTS = "BE"
    BUYING_COMMISSIONS = "BF"
    DEDUCTED_BY_DECISION = "BG"
    OTHER_DEDUCTION = "BT"


DEDUCTIONS = frozenset(
    {
        ChargeCode.CARRIAGE_BEHIND_BORDER,
        ChargeCode.WORK_AFTER_IMPORTATION,
        ChargeCode.DUTIES,
        ChargeCode.INTEREST,
        ChargeCode.REPRODUCTION_RIGHTS,
        ChargeCode.BUYING_COMMISSIONS,
        ChargeCode.DEDUCTED_BY_DECISION,
        ChargeCode.OTHER_DEDUCTION,
    }
)
"""Codes whose amounts are deducted; all others are added."""

STATES_FREIGHT = frozenset({ChargeCode.CARRIAGE_TO_BORDER, ChargeCode.AIR_TRANSPORT})
"""Codes that state the carriage to the border."""

STATES_INSURANCE = frozenset({ChargeCode.CARRIAGE_TO_BORDER})
