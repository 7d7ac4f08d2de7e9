"""What a platform has said and stored, read when all is at rest, and what is wrong with it.

`invariants` has a file for each invariant, `platform` asks them all; `core_checks` is shared with the toy. Does
nothing to a platform.
"""
