"""Shares the chassis' certificate authority for tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "libs" / "chassis" / "tests"))
