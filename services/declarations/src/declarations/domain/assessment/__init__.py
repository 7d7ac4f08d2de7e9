"""The assessment by customs: lane from the risk rules, customs values, duties and taxes.

Amounts are decimals, computed by the law of a calendar day at the customs office; an unknown amount is never zero.
"""
