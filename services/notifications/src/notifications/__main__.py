"""Start notifications: `python -m notifications`."""

from chassis.process import main
from notifications.app import build
from notifications.settings import NotificationsSettings

if __name__ == "__main__":
    main(build, NotificationsSettings)
