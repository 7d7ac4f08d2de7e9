"""Registry's environment."""

from chassis.settings import DoorSettings, ServiceSettings


class RegistrySettings(ServiceSettings):
    """What every service has; registry adds nothing but its name and port."""

    name: str = "registry"
    grpc: DoorSettings = DoorSettings(port=50051)
