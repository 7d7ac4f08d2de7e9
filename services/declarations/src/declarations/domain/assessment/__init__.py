"""What customs makes of the goods: the lane from the risk rules, customs values, duties and taxes.

Every amount is computed in decimals by the law of a day at the customs office; what is unknown is never zero.
"""
