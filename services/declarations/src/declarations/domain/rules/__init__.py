"""The rules of a declaration: header, goods, codes, values, documents, and whether its parties may act.

All errors are reported at once, each with its field, its value and the code of its text. Rules read the declaration and
the law, and change nothing. `header.check` runs them all.
"""
