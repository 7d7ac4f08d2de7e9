"""Registry's environment."""

from chassis.settings import ListenSettings, ServiceSettings


class RegistrySettings(ServiceSettings):
    """What every service has; registry adds nothing but its name and port."""

    name: str = "registry"
    grpc: ListenSettings = ListenSettings(port=50051)
