"""The life of a declaration: `lifecycle` draws it and holds its tables, the other files say what its rows do.

A command or a step that is added is a function and its row in a table.
"""

from declarations.domain.life.lifecycle import decide

__all__ = ["decide"]
