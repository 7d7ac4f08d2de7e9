"""The life cycle of a declaration: `lifecycle` has its diagram and tables, the other files the functions of the rows.

To add a command or a step, add a function and its row in a table.
"""

from declarations.domain.life.lifecycle import decide

__all__ = ["decide"]
