"""Start the gateway: `python -m gateway`."""

from chassis.process import main
from gateway.app import build
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    main(build, GatewaySettings)
