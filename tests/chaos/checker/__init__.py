"""What must always hold of the platform, judged from what is durable and from an oracle of what was sent.

One file an invariant, numbered as in docs/architecture/invariants.md. Each gives a `Verdict`: how many things it
looked at, and a sentence for each violation. `chaos.judged` asks them all.
"""

from chaos.checker.addressed import GROUPS
from chaos.checker.commands import Sent
from chaos.checker.offsets import offsets
from chaos.checker.rest import rest

__all__ = ["GROUPS", "Sent", "offsets", "rest"]
