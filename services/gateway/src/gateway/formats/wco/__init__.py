"""WCO Data Model declarations, read thinly into the shape of the declaration contract.

`read(bytes)` is the only entry. What is not carried stays in the original bytes, and the paths of
those elements come back beside the declaration. Parsing is bounded: no DTD, no entities, so many
levels, so many elements.
"""

from gateway.formats.wco.document import WcoDeclaration, read

__all__ = ["WcoDeclaration", "read"]
