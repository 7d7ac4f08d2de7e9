"""Submissions of firms: declarations (JSON or WCO documents), projects and mandates.

Owns: their routes and use cases, and the code lists of projects and mandates. Keeps: only valid submissions are stored,
and all faults are reported at once. Must not judge whether a declaration is right: the declarations service does.
"""

from gateway.firms.routes import router

__all__ = ["router"]
