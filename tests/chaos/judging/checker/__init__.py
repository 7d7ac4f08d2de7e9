"""What must always hold of the platform, judged from what is durable and from an oracle of what was sent.

One file an invariant, numbered as in docs/architecture/invariants.md. Each gives a `Verdict`: how many things it
looked at, and a sentence for each violation. `chaos.judging.judged` asks them all.
"""

from chaos.judging.checker.addressed import GROUPS
from chaos.judging.checker.commands import Sent
from chaos.judging.checker.offsets import offsets
from chaos.judging.checker.rest import rest

__all__ = ["GROUPS", "Sent", "offsets", "rest"]
