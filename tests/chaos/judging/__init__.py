"""Reads what a platform at rest has published and stored, and reports every violation of an invariant.

`invariants` has one file per invariant, `platform` judges them all; `core_checks` is shared with the toy. Never changes
a platform.
"""
