"""What must always hold of the platform, judged from what is durable and from an oracle of what was sent.

One file an invariant, numbered as in docs/architecture/invariants.md. Each gives a `Verdict`: how many things it
looked at, and a sentence for each violation. `chaos.judging.platform` asks them all.
"""

from chaos.judging.invariants.addressed import GROUPS
from chaos.judging.invariants.commands import Sent
from chaos.judging.invariants.offsets import offsets
from chaos.judging.invariants.rest import rest

__all__ = ["GROUPS", "Sent", "offsets", "rest"]
