"""Reads WCO Data Model declarations into the structure of the declaration contract.

`read(bytes)` is the only entry point. Elements that are not carried remain in the original bytes, and
their paths are returned with the declaration. Parsing is bounded: no DTD, no entities, limited levels
and elements.
"""

from gateway.formats.wco.document import WcoDeclaration, read

__all__ = ["WcoDeclaration", "read"]
