"""The id of a declaration: one for each local reference of a declarant."""

import hashlib


def declaration_id(declarant: str, lrn: str) -> str:
    """`D-` and twenty hex digits, from the declarant's identifier (`SCHEME:VALUE`) and its LRN.

    A corrected version, and the same submission posted again, come to the same declaration.
    """
    return f"D-{hashlib.sha256(f'{declarant}|{lrn}'.encode()).hexdigest()[:20]}"
