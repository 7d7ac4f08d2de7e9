"""Settings of registry."""

from chassis.settings import DoorSettings, ServiceSettings


class RegistrySettings(ServiceSettings):
    """The settings of every service, with registry's name and port."""

    name: str = "registry"
    grpc: DoorSettings = DoorSettings(port=50051)
