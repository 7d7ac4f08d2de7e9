"""Firms: what they submit, as declarations (JSON or WCO documents), projects and mandates.

Owns: its routes, its use cases, the codes in what is to be matched. Keeps: nothing is kept that does not pass, and what
is wrong is said all at once. Must not judge whether a declaration is right: that is decided behind the gateway.
"""

from gateway.firms.routes import router

__all__ = ["router"]
