"""The invariants of the platform, judged from durable data and from an oracle of what was sent.

One file per invariant, numbered as in docs/architecture/invariants.md. Each returns a `Verdict`: how many cases it
judged, and a sentence for each violation. `chaos.judging.platform` judges them all.
"""

from chaos.judging.invariants.addressed import GROUPS
from chaos.judging.invariants.commands import Sent
from chaos.judging.invariants.offsets import offsets
from chaos.judging.invariants.rest import rest

__all__ = ["GROUPS", "Sent", "offsets", "rest"]
