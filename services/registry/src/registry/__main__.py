"""Start registry: `python -m registry`."""

from chassis.process import main
from registry.app import build
from registry.settings import RegistrySettings

if __name__ == "__main__":
    main(build, RegistrySettings)
