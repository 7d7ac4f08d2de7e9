"""What a plant is made of."""

from collections.abc import Sequence
from typing import Any

Pieces = Sequence[tuple[Any, str, Any]]
"""What stands where in place of what is there: owner, name, piece."""
