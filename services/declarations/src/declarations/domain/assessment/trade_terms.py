"""The trade terms that a declaration may state, and what a price under each includes.

Sources: Incoterms 2020 of the International Chamber of Commerce, the editions of 2010, 2000 and
1990 for terms that were replaced, and the trade-term table of China's declaration form
(成交方式代码表), whose codes are digits and whose terms apply to every mode of transport.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TradeTerm:
    code: str
    freight_paid: bool | None
    """Whether the price includes carriage to the border of import; None if the term does not say."""
    insurance_paid: bool | None = False
    """Whether the price includes insurance of that carriage; None if the term does not say."""
    replaced_by: str = ""
    """The equivalent of an old term in the current edition; empty for terms of that edition."""
    water_only: bool = False
    """Only for sea and inland waterway transport, by the ICC's rules."""


def _all(*terms: TradeTerm) -> dict[str, TradeTerm]:
    return {term.code: term for term in terms}


TRADE_TERMS: Mapping[str, TradeTerm] = _all(
    TradeTerm("EXW", freight_paid=False),
    TradeTerm("FCA", freight_paid=False),
    TradeTerm("FAS", freight_paid=False, water_only=True),
    TradeTerm("FOB", freight_paid=False, water_only=True),
    TradeTerm("CFR", freight_paid=True, water_only=True),
    TradeTerm("CIF", freight_paid=True, insurance_paid=True, water_only=True),
    TradeTerm("CPT", freight_paid=True),
    TradeTerm("CIP", freight_paid=True, insurance_paid=True),
    # Delivered: the seller bears carriage and risk; any insurance is the seller's, included in the price.
    TradeTerm("DAP", freight_paid=True, insurance_paid=True),
    TradeTerm("DPU", freight_paid=True, insurance_paid=True),
    TradeTerm("DDP", freight_paid=True, insurance_paid=True),
    # Terms of earlier editions, still used in contracts.
    TradeTerm("DAT", freight_paid=True, insurance_paid=True, replaced_by="DPU"),
    TradeTerm("DAF", freight_paid=True, insurance_paid=True, replaced_by="DAP"),
    TradeTerm("DES", freight_paid=True, insurance_paid=True, replaced_by="DAP", water_only=True),
    TradeTerm("DEQ", freight_paid=True, insurance_paid=True, replaced_by="DPU", water_only=True),
    TradeTerm("DDU", freight_paid=True, insurance_paid=True, replaced_by="DAP"),
    TradeTerm("C&F", freight_paid=True, replaced_by="CFR"),
    TradeTerm("CNF", freight_paid=True, replaced_by="CFR"),
    # Cost and insurance: the buyer pays the carriage.
    TradeTerm("C&I", freight_paid=False, insurance_paid=True, replaced_by="FOB"),
    TradeTerm("FOR", freight_paid=False, replaced_by="FCA"),
    TradeTerm("FOT", freight_paid=False, replaced_by="FCA"),
    # China's form: CIF, C&F, FOB, C&I, market price, dunnage, EXW.
    TradeTerm("1", freight_paid=True, insurance_paid=True),
    TradeTerm("2", freight_paid=True),
    TradeTerm("3", freight_paid=False),
    TradeTerm("4", freight_paid=False, insurance_paid=True),
    TradeTerm("5", freight_paid=None, insurance_paid=None),
    TradeTerm("6", freight_paid=None, insurance_paid=None),
    TradeTerm("7", freight_paid=False),
)
"""Code → term. Any other code is not a trade term."""


def holds_freight(code: str | None) -> bool:
    """Whether a price is known to include carriage to the border; False without a term."""
    term = TRADE_TERMS.get(code or "")
    return term is not None and term.freight_paid is True


def holds_insurance(code: str | None) -> bool:
    """Whether a price is known to include insurance to the border."""
    term = TRADE_TERMS.get(code or "")
    return term is not None and term.insurance_paid is True
