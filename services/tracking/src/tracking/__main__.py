"""Start tracking: `python -m tracking`."""

from chassis.process import main
from tracking.app import build
from tracking.settings import TrackingSettings

if __name__ == "__main__":
    main(build, TrackingSettings)
