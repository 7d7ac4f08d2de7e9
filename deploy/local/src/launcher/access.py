"""Credentials for a given broker: `TRADE_KAFKA__…` of the launcher's environment, by the names that services know.

The launcher uses them to create topics and passes them on to the services; a service that has settings of its own
for them uses those.
"""

import os

from pydantic import ValidationError

from chassis.secret_files import SecretNotRead
from chassis.settings import KafkaSettings, ServiceSettings
from launcher.failures import LauncherError

_PREFIX = "TRADE_KAFKA__"
_PASSED_ON = ("SECURITY_PROTOCOL", "SASL_MECHANISM", "USERNAME", "PASSWORD", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")
_VARIABLES = {f"{_PREFIX}{each}{suffix}" for each in _PASSED_ON for suffix in ("", "_FILE")}


def given_to_services() -> dict[str, str]:
    """The variables with credentials that are set here."""
    return {name: value for name, value in os.environ.items() if name in _VARIABLES}


def credentials() -> KafkaSettings:
    """The same, for the launcher itself.

    Raises:
        LauncherError: one of them is wrong.
    """
    try:
        return ServiceSettings(name="launcher", environment="development").kafka
    except SecretNotRead as error:
        raise LauncherError(str(error)) from None
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise LauncherError(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}") from None
