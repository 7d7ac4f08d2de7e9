"""Start matching: `python -m matching`."""

from chassis.process import main
from matching.app import build
from matching.settings import MatchingSettings

if __name__ == "__main__":
    main(build, MatchingSettings)
